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


def write_masks(path: str | Path, masks: np.ndarray, metadata: dict, confidence: np.ndarray | None = None) -> None:
    """Write masks, bool (n, H, W), atomically as .safetensors; equal input gives equal bytes.

    metadata: JSON-able. confidence: float32 (n,) of each mask; the least that is needed is then in metadata as
    `min_confidence`.
    """
    beside = {} if confidence is None else {"confidence": confidence}
    tensor_files.write(path, {"masks": pack(masks), **beside}, metadata | {"width_px": masks.shape[2]})


def read_masks(path: str | Path) -> np.ndarray:
    """Read what `write_masks` wrote: bool (n, H, W).

    Raises UserError if the file is missing, truncated or holds something else.
    """
    arrays, metadata = tensor_files.read(path, "masks")
    if "masks" not in arrays or "width_px" not in metadata:
        raise UserError(f"{path}: holds no masks; delete it and run again")
    return unpack(arrays["masks"], metadata["width_px"])


def read_confidence(path: str | Path) -> tuple[np.ndarray, float] | None:
    """Read the confidence of each mask, float32 (n,), and the least that is needed; None of masks without any.

    Raises UserError if the file is missing or truncated.
    """
    arrays, metadata = tensor_files.read(path, "masks")
    return (arrays["confidence"], metadata["min_confidence"]) if "confidence" in arrays else None
