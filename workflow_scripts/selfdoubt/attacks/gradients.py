"""Small changes of the input that follow a gradient.

Everything here works on float32 pixels in [0, 1], under an L-infinity budget, unless that is None: no pixel moves by
more than `epsilon`, and none leaves [0, 1]. An *objective*, which is raised, is a function of the logits (n, K) that
returns a number for each image, (n,). Models are in evaluation mode, so images do not influence one another, and the
gradient of the sum over a batch is every image's own. Gradients are computed in float32, or at a *precision* of
bfloat16, which changes the sign of many pixels; pixels and logits are float32 either way.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from selfdoubt.runtime import devices

Objective = Callable[[Tensor], Tensor]


@contextmanager
def frozen(*models: nn.Module) -> Iterator[None]:
    """Keep models in evaluation mode and their parameters without gradients; restore both at the end."""
    modes = [(module, module.training) for model in models for module in model.modules()]
    required = [(weight, weight.requires_grad) for model in models for weight in model.parameters()]
    try:
        for model in models:
            model.eval().requires_grad_(False)
        yield
    finally:
        for module, training in modes:
            module.training = training
        for weight, requires_grad in required:
            weight.requires_grad_(requires_grad)


def input_gradient(
    model: nn.Module, images: Tensor, objective: Objective, precision: str = "float32"
) -> tuple[Tensor, Tensor]:
    """Return the gradient of the objective with respect to the pixels, and the logits of the images.

    images: (n, C, H, W) in [0, 1]; the gradient has their shape. precision: of the one forward and the one backward
    pass.
    """
    with frozen(model), torch.enable_grad():
        images = images.detach().float().requires_grad_()
        with devices.autocast(images.device, precision):
            logits = model(images)
        logits = logits.float()
        (gradient,) = torch.autograd.grad(objective(logits).sum(), images)
    return gradient, logits.detach()


def ascend(
    model: nn.Module,
    images: Tensor,
    objective: Objective,
    epsilon: float | None,
    n_steps: int,
    step: float,
    precision: str = "float32",
    start: Tensor | None = None,
) -> Tensor:
    """Raise the objective by steps along the gradient's sign (Madry et al. 2018), from the images or from `start`.

    epsilon, step: in units of the pixel range, as in 8 / 255; with an epsilon of None nothing is projected, not even
    to [0, 1]. start: (n, C, H, W). Returns the moved images (n, C, H, W).
    """
    moved = images if start is None else start
    for _ in range(n_steps):
        gradient, _ = input_gradient(model, moved, objective, precision)
        moved = moved + step * gradient.sign()
        moved = moved if epsilon is None else project(moved, images, epsilon)
    return moved


def project(moved: Tensor, images: Tensor, epsilon: float) -> Tensor:
    """Project each pixel of `moved` to the nearest value within epsilon of `images` and within [0, 1]."""
    return moved.clamp((images - epsilon).clamp_(min=0), (images + epsilon).clamp_(max=1))


def random_signs(images: Tensor, epsilon: float, generator: np.random.Generator) -> Tensor:
    """Move each pixel up or down by epsilon with equal probability: a placebo for `ascend`.

    Draws one number for each pixel in the order of the images, so that the batch size changes nothing.
    """
    up = torch.from_numpy(generator.random(tuple(images.shape), dtype=np.float32) < 0.5).to(images.device)
    return torch.where(up, images + epsilon, images - epsilon).clamp_(0, 1)


def random_start(images: Tensor, epsilon: float, generator: np.random.Generator) -> Tensor:
    """Move each pixel by a uniform draw from [-epsilon, epsilon]; as in Wu et al. (2021) it may leave [0, 1].

    Draws one number for each pixel in the order of the images, so that the batch size changes nothing.
    """
    draws = torch.from_numpy(generator.random(tuple(images.shape), dtype=np.float32)).to(images.device)
    return images + epsilon * (2 * draws - 1)


# ---- objectives ----


def log_odds(labels: Tensor, temperature: float = 1.0) -> Objective:
    """Return the objective log p / (1 - p), the log-odds of each image's label (n,).

    Computed as z_y - logsumexp of the others, of logits / temperature. Its gradient is that of log p divided by 1 - p,
    so that signed steps along the two are the same; but it has digits where p rounds to 1, beyond log-odds of 16.
    """

    def objective(logits: Tensor) -> Tensor:
        logits = logits / temperature
        others = logits.scatter(1, labels[:, None], -torch.inf).logsumexp(-1)
        return logits.gather(1, labels[:, None])[:, 0] - others

    return objective


def log_probability(labels: Tensor) -> Objective:
    """Return the objective log p of each image's label (n,): whose gradients at several images may be added."""
    return lambda logits: logits.log_softmax(1).gather(1, labels[:, None])[:, 0]


def top_log_odds(temperature: float = 1.0) -> Objective:
    """Return the objective `log_odds` of the predicted class, which need not be known before."""
    return lambda logits: log_odds(logits.argmax(1), temperature)(logits)


def log_d_alpha(temperature: float = 1.0) -> Objective:
    """Return the objective log D_alpha, D_alpha = (1 - sum p^2) / sum p^2 (Granese et al. 2021): uncertainty.

    p: softmax(logits / temperature).

    1 - sum p^2 is summed from p (1 - p), with 1 - p of the top class from the others, so that it keeps its digits
    where p rounds to 1.
    """

    def objective(logits: Tensor) -> Tensor:
        p = (logits / temperature).softmax(-1)
        top, label = p.max(-1)
        others = p.scatter(1, label[:, None], 0)
        spread = top * others.sum(-1) + (others * (1 - others)).sum(-1)
        return spread.clamp_min(torch.finfo(p.dtype).tiny).log() - p.square().sum(-1).log()

    return objective


def summed_cross_entropy() -> Objective:
    """Return the objective sum over classes of the cross-entropy with each, in nats (Wu et al. 2021)."""
    return lambda logits: -logits.log_softmax(-1).sum(-1)
