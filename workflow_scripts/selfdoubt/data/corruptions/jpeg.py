"""JPEG compression, from CIFAR-10-C's mildest quality to the middle of ImageNet-C's."""

import io

import numpy as np
from PIL import Image

STRENGTHS = (80, 60, 40, 25, 15)  # quality of libjpeg, 1 to 100


def corrupt(images: np.ndarray, strength: int, draws: np.random.Generator) -> np.ndarray:
    """Write as JPEG, colours at half the resolution, and read again; blocks of 8 x 8 px do not grow with the image."""
    read = np.empty_like(images)
    for image, result in zip(images, read, strict=True):
        pixels, file = image.transpose(1, 2, 0), io.BytesIO()  # (H, W, C)
        Image.fromarray(pixels[..., 0] if len(image) == 1 else pixels).save(file, "JPEG", quality=strength)
        result[:] = np.atleast_3d(Image.open(file, formats=["JPEG"])).transpose(2, 0, 1)
    return read
