"""What corruptions of pixels share: rounding, and lengths that grow with the image."""

import numpy as np

_REFERENCE_PX = 32  # lengths hold for images up to this height or width, whichever is less


def to_uint8(pixels: np.ndarray) -> np.ndarray:
    """Round pixels in [0, 255] to the nearest integer; those outside are clipped."""
    return np.rint(pixels).clip(0, 255).astype(np.uint8)


def enlargement(height: int, width: int) -> float:
    """Return the factor on strengths that are lengths: 1 up to 32 px (the shorter side), then in proportion."""
    return max(1.0, min(height, width) / _REFERENCE_PX)
