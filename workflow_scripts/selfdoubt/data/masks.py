"""Object masks, stored with one bit a pixel."""

from pathlib import Path

import numpy as np

from selfdoubt.runtime import tensor_files
from selfdoubt.runtime.errors import UserError


def pack(masks: np.ndarray) -> np.ndarray:
    """Return masks, bool (n, H, W), as bits: uint8 (n, H, ceil(W / 8)), the leftmost pixel in the highest bit."""
    return np.packbits(masks, axis=2)


def unpack(packed: np.ndarray, width: int) -> np.ndarray:
    """Undo `pack`; width: of the masks, px."""
    return np.unpackbits(packed, axis=2, count=width).astype(bool)


def write_masks(path: str | Path, masks: np.ndarray, metadata: dict) -> None:
    """Write masks, bool (n, H, W), atomically as .safetensors; equal input gives equal bytes.

    metadata: JSON-able.
    """
    tensor_files.write(path, {"masks": pack(masks)}, metadata | {"width_px": masks.shape[2]})


def read_masks(path: str | Path) -> np.ndarray:
    """Read what `write_masks` wrote: bool (n, H, W).

    Raises UserError if the file is missing, truncated or holds something else.
    """
    arrays, metadata = tensor_files.read(path, "masks")
    if "masks" not in arrays or "width_px" not in metadata:
        raise UserError(f"{path}: holds no masks; delete it and run again")
    return unpack(arrays["masks"], metadata["width_px"])
