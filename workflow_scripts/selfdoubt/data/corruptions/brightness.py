"""Brightness, as in ImageNet-C."""

import numpy as np

from selfdoubt.data.pixels import to_uint8

STRENGTHS = (0.10, 0.20, 0.30, 0.40, 0.50)  # added to the value (HSV) of a pixel; pixels are in [0, 1]


def corrupt(images: np.ndarray, strength: float, draws: np.random.Generator) -> np.ndarray:
    """Raise the value of every pixel, the largest of its channels, at most to white; hue and saturation stay.

    Black has no hue and becomes grey.
    """
    value = images.max(1, keepdims=True).astype(np.float32)
    raised = np.minimum(value + 255 * strength, 255)
    return to_uint8(np.where(value > 0, images * (raised / np.maximum(value, 1)), raised))
