"""Contrast, as in CIFAR-10-C."""

import numpy as np

from selfdoubt.data.pixels import to_uint8

STRENGTHS = (0.75, 0.50, 0.40, 0.30, 0.15)  # factor on the distance to the mean of image and channel


def corrupt(images: np.ndarray, strength: float, draws: np.random.Generator) -> np.ndarray:
    """Pull every pixel towards the mean of its image and channel."""
    mean = images.mean((2, 3), keepdims=True, dtype=np.float32)
    return to_uint8(mean + strength * (images - mean))
