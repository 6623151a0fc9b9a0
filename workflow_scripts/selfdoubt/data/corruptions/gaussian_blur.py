"""Gaussian blur; strengths are set by eye for 28 to 32 px."""

import numpy as np
from scipy import ndimage

from selfdoubt.data.pixels import enlargement, to_uint8

STRENGTHS = (0.40, 0.60, 0.80, 1.10, 1.50)  # standard deviation, px at up to 32 px, see `enlargement`


def corrupt(images: np.ndarray, strength: float, draws: np.random.Generator) -> np.ndarray:
    """Convolve with a Gaussian; the border is repeated outwards."""
    deviation_px = strength * enlargement(*images.shape[2:])
    return to_uint8(ndimage.gaussian_filter(images, deviation_px, axes=(2, 3), mode="nearest", output=np.float32))
