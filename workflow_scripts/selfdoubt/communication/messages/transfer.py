"""Messages that are made to transfer: steps along the sender's gradient with momentum, averaged over views.

    v <- momentum v + g / mean |g|,    x <- x + (epsilon / n_steps) sign v, projected (MI-FGSM: Dong et al., CVPR 2018)

g is the mean of the gradients of log p of a class, at the image and at views of it moved by up to `shift_px` in each
direction, black moving in (translation-invariant attacks: Dong et al., CVPR 2019, who take a fixed set). The papers
have a momentum of 1 and 10 steps at 16/255. With a momentum of 0 and one view it is the message `gradient`.
"""

import numpy as np
import torch
from torch import Tensor, nn

from selfdoubt.attacks import gradients
from selfdoubt.training import augmentation


def send(sender: nn.Module, images: Tensor, classes: np.ndarray, settings, generator) -> list[Tensor]:
    """Return, for each class, the images after steps that raise the sender's log p of it, on the same views."""
    shape = (len(images), settings.n_steps, settings.n_views - 1, 2)  # an image's draws stand together
    tops = torch.from_numpy(generator.integers(0, 2 * settings.shift_px + 1, shape)).to(images.device)
    wanted = torch.from_numpy(classes).to(images.device)  # (n, k)
    return [_ascend(sender, images, labels, tops, settings) for labels in wanted.T]


def cost(n_classes: int, settings) -> tuple[int, int, int]:
    """Return how many batches `send` returns, and the forwards and backwards of the sender for all of them."""
    n_gradients = n_classes * settings.n_steps * settings.n_views
    return n_classes, n_gradients, n_gradients


def _ascend(sender: nn.Module, images: Tensor, labels: Tensor, tops: Tensor, settings) -> Tensor:
    epsilon, objective = settings.epsilon_255 / 255, gradients.log_probability(labels)
    moved, velocity = images, torch.zeros_like(images)
    for step in range(settings.n_steps):
        gradient, _ = gradients.input_gradient(sender, moved, objective, settings.precision)
        for top in tops[:, step].unbind(1):
            there = _moved(moved, top, settings.shift_px)
            found, _ = gradients.input_gradient(sender, there, objective, settings.precision)
            gradient = gradient + _moved(found, 2 * settings.shift_px - top, settings.shift_px)  # moved back
        size = gradient.abs().mean((1, 2, 3), keepdim=True).clamp_min(torch.finfo(gradient.dtype).tiny)
        velocity = settings.momentum * velocity + gradient / size
        moved = gradients.project(moved + epsilon / settings.n_steps * velocity.sign(), images, epsilon)
    return moved


def _moved(images: Tensor, top: Tensor, shift_px: int) -> Tensor:
    """Return images (n, C, H, W) moved each by its own top and left (n, 2) in the padded image."""
    rows, unflipped = torch.arange(len(images), device=images.device), torch.zeros_like(top[:, 0], dtype=torch.bool)
    views = augmentation.Views(top[:, 0], top[:, 1], unflipped)
    return augmentation.view(augmentation.pad(images, shift_px), views.at(rows))
