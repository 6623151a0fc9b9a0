"""Object masks: one bit a pixel on disk, and how good they are."""

from pathlib import Path

import numpy as np

from selfdoubt import tensor_files
from selfdoubt.errors import UserError


def pack(masks: np.ndarray) -> np.ndarray:
    """bool (n, H, W) -> uint8 (n, H, ceil(W / 8)), the leftmost pixel in the highest bit."""
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


def quality_rows(stage: str, masks: np.ndarray, truth: np.ndarray | None) -> list[dict]:
    """Return rows of SCHEMAS['mask-quality']: how good masks are, as means over the images.

    iou: intersection over union of mask and truth, 1 where both are empty. pixel-accuracy: share of pixels that are
    as in truth. foreground-share: of the pixels. empty, full: how many masks are.

    stage: "pseudo-mask" (its surely-object pixels) or "mask". masks: bool (n, H, W). truth: the same, or None where
    it is not known; what needs it then has value null and a reason.
    """
    n, counts = len(masks), masks.sum((1, 2))
    measured = {"iou": None, "pixel-accuracy": None}
    if truth is not None and n:
        union = (masks | truth).sum((1, 2))
        iou = np.where(union == 0, 1.0, (masks & truth).sum((1, 2)) / np.maximum(union, 1))
        measured = {"iou": iou.mean(), "pixel-accuracy": (masks == truth).mean()}
    measured["foreground-share"] = masks.mean() if n else None
    measured |= {"empty": (counts == 0).sum(), "full": (counts == masks[0].size).sum()} if n else {}
    reason = "no images" if n == 0 else "the true masks are not known"
    return [
        {
            "stage": stage,
            "statistic": statistic,
            "value": None if value is None else float(value),
            "n": n,
            "reason": reason if value is None else None,
        }
        for statistic, value in measured.items()
    ]
