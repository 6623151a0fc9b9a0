"""What names rows, ids of images and classes, as whole numbers or texts: one form, however a file writes them."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from selfdoubt.runtime.errors import UserError

_WHOLE = re.compile(r"[-+]?[0-9]{1,18}(\.0*)?")


def whole_or_text(path: Path, name: str, parts: Sequence[pa.Array]) -> np.ndarray:
    """Return a column as int64 if all of it are whole numbers, else as texts, (n,).

    parts: int64 or string. Raises UserError at the first row that has none.
    """
    values = pa.chunked_array(parts)
    if values.null_count:
        row = values.is_null().to_pylist().index(True)
        raise UserError(f"{path}: row {row} (counted from 0) has no {name}")
    if not pa.types.is_string(values.type):
        return values.to_numpy()
    texts = [text.strip() for text in values.to_pylist()]
    if all(map(_WHOLE.fullmatch, texts)):
        return np.array([int(text.partition(".")[0]) for text in texts], np.int64)
    return np.array(texts)


def as_classes(labels: np.ndarray, predicted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and predicted classes as whole numbers: those that they are, else places in their sorted names.

    The labels' names come first, so that the numbers of labels are the same for every model of the same images.
    """
    if labels.dtype.kind == predicted.dtype.kind == "i":
        return labels, predicted
    labels, predicted = labels.astype(str), predicted.astype(str)
    known = np.unique(labels)
    number = {name: i for i, name in enumerate([*known, *np.setdiff1d(predicted, known)])}
    return tuple(np.array([number[name] for name in names], np.int64) for names in (labels, predicted))
