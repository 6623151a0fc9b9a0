"""Small pictures of images, as the bytes of files."""

import io

import numpy as np
from PIL import Image

_QUALITY = 85  # of a JPEG


def thumbnail(image: np.ndarray, size_px: int) -> bytes:
    """Return an image (C, H, W) uint8, of one or three channels, as a PNG; a larger one made smaller, as a JPEG."""
    pixels = image[0] if len(image) == 1 else np.moveaxis(image, 0, -1)
    picture, file = Image.fromarray(np.ascontiguousarray(pixels)), io.BytesIO()
    if max(picture.size) > size_px:
        picture.thumbnail((size_px, size_px))
        picture.save(file, "JPEG", quality=_QUALITY)
    else:
        picture.save(file, "PNG", optimize=True)
    return file.getvalue()
