"""Random signs: the placebo of messages, of the same size and without a gradient."""

import numpy as np
from torch import Tensor, nn

from selfdoubt.attacks import gradients

GRADIENTS_OF_A_STEP = 0


def send(sender: nn.Module, images: Tensor, classes: np.ndarray, settings, generator) -> list[Tensor]:
    """Return one batch that stands for every class: each pixel moved up or down by epsilon, at random."""
    return [gradients.random_signs(images, settings.epsilon_255 / 255, generator)]


def cost(n_classes: int, settings) -> tuple[int, int, int]:
    """Return how many batches `send` returns, and the forwards and backwards of the sender for all of them."""
    return 1, 0, 0


def step(sender: nn.Module, images: Tensor, size: float, settings, generator) -> Tensor:
    """Return the images after a step of random signs, before they are projected."""
    return gradients.random_signs(images, size, generator)
