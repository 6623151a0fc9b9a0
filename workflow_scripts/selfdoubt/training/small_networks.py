"""Training of small networks for classifiers that stay as they are: those of enhancers, and of messages.

Segmenters have a loop of their own, with views and a history.
"""

from collections.abc import Callable
from types import SimpleNamespace

import torch
from torch import Tensor, nn

from selfdoubt.runtime import randomness
from selfdoubt.runtime.errors import UserError
from selfdoubt.training import optimizers, schedules

_ADAMW = {"method": "adamw", "betas": (0.9, 0.999), "weight_decay": 0.01}
_COSINE = SimpleNamespace(method="cosine", warmup_fraction=0.0)
_FLOOR = 1e-6  # of a deviation, relative to the largest value
_FARTHEST = 10.0  # deviations: what varies less on `val` than elsewhere would decide alone


def train(
    network: nn.Module, n_images: int, loss_of: Callable[[Tensor], Tensor], settings, seed: int, place: str
) -> nn.Module:
    """Train a network, which is on its device, by AdamW, the learning rate falling along a cosine; returns it frozen.

    loss_of: returns a batch's loss, given its rows (b,), integers below n_images. settings: method, epochs, batch_size,
    learning_rate. place: in the config, for errors. A last batch of one image, which has no batch statistics, is left
    out where the network needs them. Equal arguments and threads give equal weights.
    Raises UserError at the first step whose loss is not finite.
    """
    optimizer = optimizers.Optimizer(network.train(), SimpleNamespace(learning_rate=settings.learning_rate, **_ADAMW))
    n_batches, left = divmod(n_images, settings.batch_size)
    n_batches += left > any(isinstance(layer, nn.BatchNorm2d) for layer in network.modules())
    torch.manual_seed(randomness.key(seed, f"{settings.method}/dropout") % 2**63)  # decoders may have such layers
    for epoch in range(settings.epochs):
        order = torch.from_numpy(randomness.generator(seed, f"{settings.method}/order", epoch).permutation(n_images))
        for i, rows in enumerate(order.split(settings.batch_size)[:n_batches]):
            loss = loss_of(rows)
            if not torch.isfinite(loss):
                what = f"the loss of {settings.method} is {loss.item()} in epoch {epoch}"
                raise UserError(f"{place}: {what}; lower learning_rate")
            loss.backward()
            optimizer.step(schedules.factor(epoch * n_batches + i, settings.epochs * n_batches, _COSINE))
    return network.eval().requires_grad_(False)


def untrained(build: Callable[[], nn.Module], name: str, seed: int) -> nn.Module:
    """Return what build() returns; equal names and seeds give equal weights."""
    with torch.random.fork_rng(devices=[]):  # layers draw their weights from torch's global generator
        torch.manual_seed(randomness.key(seed, f"{name}/weights") % 2**63)
        return build()


class Standardised(nn.Module):
    """Subtracts the mean and divides by the deviation of rows (m, d), to within +-10; what never varies becomes 0.

    In float64, and with a floor: in float32 a constant of 0.1 has a deviation of 1e-8.
    """

    def __init__(self, rows: Tensor):
        super().__init__()
        rows = rows.double()
        self.register_buffer("mean", rows.mean(0))
        deviation = (rows - self.mean).square().mean(0).sqrt()
        varies = deviation > _FLOOR * rows.abs().amax(0)
        self.register_buffer("deviation", torch.where(varies, deviation, torch.inf))

    def forward(self, rows: Tensor) -> Tensor:
        return ((rows - self.mean) / self.deviation).clamp(-_FARTHEST, _FARTHEST).to(rows.dtype)
