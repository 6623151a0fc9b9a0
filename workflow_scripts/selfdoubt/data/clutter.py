"""How cluttered what surrounds an object is: how much adjacent pixels of the background differ."""

import numpy as np

_BATCH = 1000  # images at a time: differences are floats


def clutter(images: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Return the mean absolute difference of adjacent pixels outside of the object, (n,), as a fraction of the range.

    Of each pair of pixels side by side, or one above the other, of which neither is the object's, so that its edge
    does not count; the mean over channels. 0 where there is no such pair.

    images: uint8 (n, C, H, W). masks: bool (n, H, W), of the object.
    """
    parts = [slice(start, start + _BATCH) for start in range(0, len(images), _BATCH)]
    found = [_mean_difference(images[part], ~masks[part]) for part in parts]
    return np.concatenate(found) if found else np.zeros(0)


def _mean_difference(images: np.ndarray, outside: np.ndarray) -> np.ndarray:
    pixels, total, n_pairs = images.astype(np.float32), 0.0, 0
    for axis in (-2, -1):
        apart = np.abs(np.diff(pixels, axis=axis)).mean(1)
        first, second = (np.delete(outside, place, axis) for place in (-1, 0))
        both = first & second
        total, n_pairs = total + (apart * both).sum((1, 2), dtype=np.float64), n_pairs + both.sum((1, 2))
    return total / np.maximum(n_pairs, 1) / 255
