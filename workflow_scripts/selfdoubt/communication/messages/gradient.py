"""Messages along the gradient of the sender's log probability of a class: targeted attacks (Madry et al. 2018)."""

import numpy as np
import torch
from torch import Tensor, nn

from selfdoubt.attacks import gradients

GRADIENTS_OF_A_STEP = 1


def send(sender: nn.Module, images: Tensor, classes: np.ndarray, settings, generator) -> list[Tensor]:
    """Return, for each class, the images after steps that raise the sender's log p of it, each epsilon / n_steps."""
    epsilon = settings.epsilon_255 / 255
    objectives = [gradients.log_odds(torch.from_numpy(labels).to(images.device)) for labels in classes.T]
    steps = settings.n_steps, epsilon / settings.n_steps
    return [gradients.ascend(sender, images, towards, epsilon, *steps, settings.precision) for towards in objectives]


def cost(n_classes: int, settings) -> tuple[int, int, int]:
    """Return how many batches `send` returns, and the forwards and backwards of the sender for all of them."""
    return n_classes, n_classes * settings.n_steps, n_classes * settings.n_steps


def step(sender: nn.Module, images: Tensor, size: float, settings, generator) -> Tensor:
    """Return the images after one step toward the sender's predicted class, before they are projected."""
    gradient, _ = gradients.input_gradient(sender, images, gradients.top_log_odds(), settings.precision)
    return images + size * gradient.sign()
