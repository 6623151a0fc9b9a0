"""Rotation, as in MNIST-C (Mu & Gilmer 2019)."""

import numpy as np
from scipy import ndimage

from selfdoubt.data.pixels import to_uint8

STRENGTHS = (5.0, 10.0, 15.0, 22.5, 30.0)  # degrees, clockwise or counter-clockwise at random


def corrupt(images: np.ndarray, strength: float, draws: np.random.Generator) -> np.ndarray:
    """Turn about the centre, bilinearly; what comes in at the corners is the median of the image's border."""
    background = _border_median(images)
    pixels = images - background  # so that 0 is the background
    heads = draws.random(len(images)) < 0.5
    for turned, sign in ((heads, -1), (~heads, 1)):
        angle, upright = sign * strength, pixels[turned]
        pixels[turned] = ndimage.rotate(upright, angle, (2, 3), reshape=False, order=1, mode="grid-constant")
    return to_uint8(pixels + background)


def _border_median(images: np.ndarray) -> np.ndarray:
    """Return the median of the outermost pixels, float32 (n, C, 1, 1)."""
    border = np.ones(images.shape[2:], bool)
    border[1:-1, 1:-1] = False
    return np.median(images[:, :, border], -1)[:, :, None, None].astype(np.float32)
