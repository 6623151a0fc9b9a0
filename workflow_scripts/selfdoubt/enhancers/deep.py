"""A small network that learns, on `val`, to change images so that a classifier's confidence tells right from wrong.

It is ACE (Galil & El-Yaniv 2021) reversed, as the oracle is, but from the image alone: labels are read while it is
trained and never after. The classifier was not fitted to `val`, so that its errors there are like those to come.

Left out: gradients of the classifier as the network's input, which would cost a backward pass for each image.
"""

from functools import partial
from types import SimpleNamespace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from selfdoubt.attacks import gradients
from selfdoubt.enhancers import crossfit
from selfdoubt.enhancers.batches import Answer, Batch
from selfdoubt.models import inference
from selfdoubt.runtime import randomness
from selfdoubt.runtime.errors import UserError
from selfdoubt.training import optimizers, schedules

_ADAMW = {"method": "adamw", "betas": (0.9, 0.999), "weight_decay": 0.01}
_COSINE = SimpleNamespace(method="cosine", warmup_fraction=0.0)


class ImageNetwork(nn.Module):
    """x -> x + epsilon tanh(h(x)), cut to [0, 1]: no weights whatever move a pixel by more than epsilon.

    h is three 3 x 3 convolutions with GELU between them; the last begins at 0, and the whole as the identity.
    """

    def __init__(self, channels: int, width: int, epsilon: float):
        super().__init__()
        self.epsilon = epsilon
        first, middle, last = ((channels, width), (width, width), (width, channels))
        self.layers = nn.Sequential(
            nn.Conv2d(*first, 3, padding=1), nn.GELU(), nn.Conv2d(*middle, 3, padding=1), nn.GELU(),
            nn.Conv2d(*last, 3, padding=1),
        )  # fmt: skip
        nn.init.zeros_(self.layers[-1].weight)
        nn.init.zeros_(self.layers[-1].bias)

    def forward(self, images: Tensor) -> Tensor:
        """(n, C, H, W) in [0, 1] -> the same."""
        return (images + self.epsilon * torch.tanh(self.layers(images - 0.5))).clamp(0, 1)


def build(channels: int, settings, seed: int) -> ImageNetwork:
    """Build an untrained network; equal arguments give equal weights."""
    with torch.random.fork_rng(devices=[]):  # layers draw their weights from torch's global generator
        torch.manual_seed(randomness.key(seed, "deep/weights") % 2**63)
        return ImageNetwork(channels, settings.width, settings.epsilon_255 / 255)


def objective(logits: Tensor, labels: Tensor, predicted: Tensor, confidence_weight: float) -> Tensor:
    """Return CE(z, y) + confidence_weight * BCE(p of the clean prediction, whether that is right), mean over images.

    logits: (n, K) of the changed images. labels, predicted: (n,), the true ones and those of the clean images. The
    first term keeps accuracy; both are proper, so that neither gains by more or less confidence than is due.
    """
    right = (predicted == labels).float()
    told = F.binary_cross_entropy_with_logits(gradients.log_odds(predicted)(logits), right)
    return F.cross_entropy(logits, labels) + confidence_weight * told


def train(model: nn.Module, data, settings, seed: int) -> ImageNetwork:
    """Train a network for a frozen model on data.images, uint8 (n, C, H, W), and data.labels (n,).

    AdamW, the learning rate falling along a cosine. Equal arguments and threads give equal weights.
    Raises UserError at the first step whose loss is not finite.
    """
    device, images = next(model.parameters()).device, data.images
    network = build(images.shape[1], settings, seed).to(device, memory_format=torch.channels_last).train()
    optimizer = optimizers.Optimizer(network, SimpleNamespace(learning_rate=settings.learning_rate, **_ADAMW))
    labels = torch.from_numpy(data.labels)
    predicted = torch.from_numpy(inference.predict_logits(model, images).argmax(1))
    n_batches = -(-len(images) // settings.batch_size)
    for epoch in range(settings.epochs):
        order = torch.from_numpy(randomness.generator(seed, "deep/order", epoch).permutation(len(images)))
        for i, rows in enumerate(order.split(settings.batch_size)):
            logits = model(network(inference.as_pixels(images[rows.numpy()], device))).float()
            targets = labels[rows].to(device), predicted[rows].to(device)
            loss = objective(logits, *targets, settings.confidence_weight)
            if not torch.isfinite(loss):
                raise UserError(f"enhancers: loss of deep is {loss.item()} in epoch {epoch}; lower learning_rate")
            loss.backward()
            optimizer.step(schedules.share(epoch * n_batches + i, settings.epochs * n_batches, _COSINE))
    return network.eval().requires_grad_(False)


def fit(model: nn.Module, val, found: list[SimpleNamespace], parts: list[np.ndarray], seed: int) -> list[list]:
    """Return, for each candidate, what it does once trained on each of the parts of `val`."""
    return [
        [partial(_answer, train(model, crossfit.subset(val, rows), settings, seed)) for rows in parts]
        for settings in found
    ]


@torch.no_grad()
def _answer(network: ImageNetwork, batch: Batch, generator: np.random.Generator) -> Answer:
    images = network(batch.images)
    return Answer(batch.ask(images), images, None)
