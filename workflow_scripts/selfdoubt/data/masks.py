"""Object masks: stored with one bit a pixel, changed into controls, and evaluated."""

from pathlib import Path

import numpy as np

from selfdoubt.runtime import randomness, tensor_files
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


# ---- controls: masks that lack one property of the true ones and keep the others ----


def permuted(masks: np.ndarray, seed: int) -> np.ndarray:
    """Give each image the mask of another image, drawn once: size and shape are kept, the position is not.

    masks: bool (n, H, W). With two images or more, none keeps its own.
    """
    order = randomness.generator(seed, "permuted-masks").permutation(len(masks))
    other = np.empty_like(masks)
    other[order] = masks[np.roll(order, 1)]
    return other


def boxes(masks: np.ndarray, _seed: int) -> np.ndarray:
    """Replace each mask by a box of exactly its area: size and position are kept, the shape is not.

    masks: bool (n, H, W). The box has the aspect ratio and the centre of the mask's bounding box, moved if it does not
    fit into the image; its last row is shorter if the area is no product of two sides.
    """
    height, width = masks.shape[1:]
    area = masks.sum((1, 2))
    top, n_rows = _extent(masks.any(2))
    left, n_columns = _extent(masks.any(1))
    rows = np.round(np.sqrt(area * n_rows / np.maximum(n_columns, 1))).astype(np.int64)
    rows = np.clip(rows, np.maximum(-(-area // width), 1), height)
    columns = np.maximum(-(-area // rows), 1)
    rows = -(-area // columns)  # with the last, shorter one
    first_row = np.clip((2 * top + n_rows - rows) // 2, 0, height - rows)[:, None, None]
    first_column = np.clip((2 * left + n_columns - columns) // 2, 0, width - columns)[:, None, None]
    row = np.arange(height)[None, :, None] - first_row
    column = np.arange(width)[None, None, :] - first_column
    within = (row >= 0) & (column >= 0) & (column < columns[:, None, None])
    return within & (row * columns[:, None, None] + column < area[:, None, None])


def _extent(occupied: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return start and length of the extent of True in each row of bool (n, L); 0 and 0 if there is none."""
    first, last = occupied.argmax(1), occupied.shape[1] - occupied[:, ::-1].argmax(1)
    return first, np.where(occupied.any(1), last - first, 0)


CONTROLS = {"none": lambda masks, _seed: masks, "permuted": permuted, "boxes": boxes}  # name: f(masks, seed) -> masks


# ---- quality ----


def quality_rows(stage: str, masks: np.ndarray, truth: np.ndarray | None) -> list[dict]:
    """Return rows of SCHEMAS['mask-quality']: how good masks are, as means over the images.

    iou: intersection over union of mask and truth, 1 where both are empty. pixel-accuracy: fraction of pixels that
    equal the truth. foreground-share: fraction of pixels in the mask. empty, full: how many masks are so.

    stage: "pseudo-mask" (its confident object pixels) or "mask". masks: bool (n, H, W). truth: the same, or None if
    it is not known; statistics that need it are then null, with a reason.
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
