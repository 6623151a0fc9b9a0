"""Image ids and class names, as whole numbers or texts: one form, however a file writes them."""

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
    is_text = pa.types.is_string(values.type)
    texts = [(text or "").strip() for text in values.to_pylist()] if is_text else []
    if values.null_count or "" in texts:
        row = texts.index("") if is_text else values.is_null().to_pylist().index(True)
        raise UserError(f"{path}: row {row} (counted from 0) has no {name}")
    if not is_text:
        return values.to_numpy()
    if all(map(_WHOLE.fullmatch, texts)):
        return np.array([int(text.partition(".")[0]) for text in texts], np.int64)
    return np.array(texts)


def nothing_in(parts: Sequence[pa.Array]) -> bool:
    """Return whether a column names no row; parts: int64 or string."""
    names = (name for part in parts for name in part.drop_null().to_pylist())
    return not any(str(name).strip() for name in names)


def as_classes(path: Path, labels: np.ndarray, predicted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and predicted classes as whole numbers: those that they are, else places in their sorted names.

    The labels' names come first, so that the numbers of labels are the same for every model of the same images;
    predicted names beside labels that are numbers are numbered beyond these.
    Raises UserError where no prediction is a label and they are written in two ways, as 0 and "cat", or Cat and cat.
    """
    kinds = {labels.dtype.kind, predicted.dtype.kind}
    if kinds == {"i"}:
        return labels, predicted
    known = np.unique(labels)
    numbers = known if known.dtype.kind == "i" else np.arange(len(known))
    known, labels, predicted = (names.astype(str) for names in (known, labels, predicted))
    in_other_letters = {name.casefold() for name in known} & {name.casefold() for name in np.unique(predicted)}
    if not np.isin(predicted, known).any() and (len(kinds) > 1 or in_other_letters):
        what = f"no prediction is one of the labels: these are as '{known[0]}', and those as '{predicted[0]}'"
        raise UserError(f"{path}: {what}; name classes alike in both columns")
    number = dict(zip(known, numbers, strict=True))
    number |= {name: i for i, name in enumerate(np.setdiff1d(predicted, known), numbers.max() + 1)}
    return tuple(np.array([number[name] for name in names], np.int64) for names in (labels, predicted))
