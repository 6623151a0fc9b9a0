"""Images and labels in .npy and .npz files, of which nothing is unpickled."""

import zipfile
from pathlib import Path

import numpy as np

from selfdoubt.runtime.errors import UserError


def read_images(path: Path) -> np.ndarray:
    """Return uint8 (n, C, H, W) of a file that holds (n, H, W, C); those of a .npy are mapped into memory.

    Raises UserError if there is no such file, or it holds something else.
    """
    images = _array(path, "images")
    if images.ndim != 4 or images.shape[3] not in (1, 3) or images.dtype != np.uint8:
        found = f"images are {images.dtype} {images.shape}, expected uint8 (n, H, W, 1 or 3)"
        raise UserError(f"{path}: {found}; convert them")
    return images.transpose(0, 3, 1, 2)


def read_labels(path: Path) -> np.ndarray:
    """Return int64 (n,) of a file of integers (n,); raises UserError as `read_images` does."""
    labels = _array(path, "labels")
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
        raise UserError(f"{path}: labels are {labels.dtype} {labels.shape}, expected integers (n,); convert them")
    return labels.astype(np.int64)


def _array(path: Path, key: str) -> np.ndarray:
    """Return the array of a .npy file, or the array `key` of an .npz."""
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
        return found if isinstance(found, np.ndarray) else found[key]
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; put the published files there") from None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f"{path}: not a whole file of {key} ({error}); fetch it again") from None
