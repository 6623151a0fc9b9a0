"""Pixelate; strengths are set by eye for 28 to 32 px."""

import numpy as np
from PIL import Image

STRENGTHS = (0.80, 0.65, 0.50, 0.40, 0.30)  # what is left of height and width


def corrupt(images: np.ndarray, strength: float, draws: np.random.Generator) -> np.ndarray:
    """Average over fewer, larger pixels, and show them at the old size."""
    n, channels, height, width = images.shape
    small = [max(1, round(side * strength)) for side in (width, height)]
    planes = np.empty((n * channels, height, width), np.uint8)
    for plane, clean in zip(planes, images.reshape(planes.shape), strict=True):
        averaged = Image.fromarray(clean).resize(small, Image.Resampling.BOX)
        plane[:] = averaged.resize((width, height), Image.Resampling.NEAREST)
    return planes.reshape(images.shape)
