"""Random views of images at test time: shifts and flips, or noise in their place."""

import numpy as np
import torch
from torch import Tensor

from selfdoubt.attacks import gradients
from selfdoubt.training import augmentation


def shifted(images: Tensor, n: int, shift_px: int, flip: bool, generator: np.random.Generator) -> list[Tensor]:
    """Return n views (b, C, H, W) of each image: shifted by up to shift_px, black moving in, and flipped or not.

    Draws go image by image, so that the batch size changes nothing.
    """
    draws = torch.from_numpy(generator.random((len(images), n, 3)))
    shifts = (draws[..., :2] * (2 * shift_px + 1)).long()  # of the window, 0 to 2 shift_px
    flipped = (draws[..., 2] < 0.5) & flip
    windows, index = augmentation.pad(images, shift_px), torch.arange(len(images), device=images.device)
    moves = [part.to(images.device) for part in (shifts[..., 0], shifts[..., 1], flipped)]  # each (b, n)
    views = [augmentation.Views(*(part[:, i] for part in moves)) for i in range(n)]
    return [augmentation.view(windows, index, moved) for moved in views]


def noisy(images: Tensor, n: int, epsilon: float, generator: np.random.Generator) -> list[Tensor]:
    """Return n views (b, C, H, W) of each image: every pixel moved up or down by epsilon, at random, within [0, 1].

    Draws go image by image, so that the batch size changes nothing.
    """
    moved = gradients.random_signs(images.repeat_interleave(n, 0), epsilon, generator)
    return [*moved.unflatten(0, (len(images), n)).unbind(1)]
