"""Gaussian noise; strengths are ImageNet-C's first four after CIFAR-10-C's mildest."""

import numpy as np

from selfdoubt.data.pixels import to_uint8

STRENGTHS = (0.04, 0.08, 0.12, 0.18, 0.26)  # standard deviation; pixels are in [0, 1]


def corrupt(images: np.ndarray, strength: float, draws: np.random.Generator) -> np.ndarray:
    """Add independent normal noise to every pixel and channel."""
    deviation = 255 * strength
    return to_uint8(images + deviation * draws.standard_normal(images.shape, np.float32))
