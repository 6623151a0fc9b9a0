"""The masks that images are mixed by, and controls of them: masks that lack one property of the object's."""

from pathlib import Path

import numpy as np

from selfdoubt.data import datasets
from selfdoubt.data import masks as mask_files
from selfdoubt.data.datasets import Split
from selfdoubt.runtime import randomness


def masks_for_mixing(split: Split, model, path: Path | None, seed: int) -> np.ndarray | None:
    """Return the masks that a split's images are mixed with, bool (n, H, W), or None if they are mixed without any.

    model: a model's `mixing` and `masks`. path: of a segmenter's masks, or None. seed: of permuted masks.
    Raises UserError if the masks are to be those of the data set, and it came without any.
    """
    if path is not None:
        found = mask_files.read_masks(path)
    elif model.masks is not None:
        found = datasets.foreground(split, model.masks)
    else:
        return None
    return control(found, model.mixing.mask_control, seed)


def doubtful(path: Path | None, mask_control: str, seed: int) -> np.ndarray | None:
    """Return which masks for mixing are less confident than the segmenter needs, bool (n,); None where none can be.

    mask_control, seed: as of `masks_for_mixing`, since a permuted mask takes its confidence with it.
    """
    found = None if path is None else mask_files.read_confidence(path)
    if found is None:
        return None
    low = found[0] < found[1]
    return permute(low, seed) if mask_control == "permuted" else low


def control(masks: np.ndarray, name: str, seed: int) -> np.ndarray:
    """Return masks (n, H, W) as the control `name` changes them: "none", "permuted", "boxes" or "enclosing"."""
    return _CONTROLS[name](masks, seed)


def permute(masks: np.ndarray, seed: int) -> np.ndarray:
    """Give each image the mask of another one: it keeps sizes and shapes of objects, and loses where they are.

    masks: bool (n, H, W), or what is known of each, (n,). The permutation is drawn once, by the seed; of two or more
    images none keeps its own mask.
    """
    order = randomness.generator(seed, "permuted-masks").permutation(len(masks))
    other = np.empty_like(masks)
    other[order] = masks[np.roll(order, 1)]
    return other


def replace_by_boxes(masks: np.ndarray, _seed: int) -> np.ndarray:
    """Replace each mask by a box of equal area: it keeps the object's size and place, and loses its shape.

    masks: bool (n, H, W). The box has the proportions and, as far as it fits into the image, the centre of the mask's
    bounding box. Its last row is shorter where the area is no product of its sides, so that areas are equal to the
    pixel.
    """
    height, width = masks.shape[1:]
    area = masks.sum((1, 2))
    top, n_rows = _extent(masks.any(2))
    left, n_columns = _extent(masks.any(1))
    rows = np.round(np.sqrt(area * n_rows / np.maximum(n_columns, 1))).astype(np.int64)
    rows = np.clip(rows, np.maximum(-(-area // width), 1), height)
    columns = np.maximum(-(-area // rows), 1)
    rows = -(-area // columns)  # those that are begun
    first_row = np.clip((2 * top + n_rows - rows) // 2, 0, height - rows)[:, None, None]
    first_column = np.clip((2 * left + n_columns - columns) // 2, 0, width - columns)[:, None, None]
    row = np.arange(height)[None, :, None] - first_row
    column = np.arange(width)[None, None, :] - first_column
    within = (row >= 0) & (column >= 0) & (column < columns[:, None, None])
    return within & (row * columns[:, None, None] + column < area[:, None, None])


def enclose(masks: np.ndarray, _seed: int) -> np.ndarray:
    """Replace each mask by its bounding box: nothing of the object is cut, and its shape is lost.

    masks: bool (n, H, W). An empty mask stays empty.
    """
    found = np.ones_like(masks)
    for axis, length in ((2, masks.shape[1]), (1, masks.shape[2])):
        start, span = _extent(masks.any(axis))
        places = np.arange(length)
        within = (places >= start[:, None]) & (places < (start + span)[:, None])
        found &= np.expand_dims(within, axis)
    return found


def _extent(occupied: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the first True of each row of bool (n, L), and how long the span to the last is; 0 and 0 without any."""
    first, last = occupied.argmax(1), occupied.shape[1] - occupied[:, ::-1].argmax(1)
    return first, np.where(occupied.any(1), last - first, 0)


_CONTROLS = {"none": lambda masks, _seed: masks, "permuted": permute, "boxes": replace_by_boxes, "enclosing": enclose}
