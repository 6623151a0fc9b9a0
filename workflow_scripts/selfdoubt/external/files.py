"""Predictions that this project did not make: Parquet, CSV or NPZ, from any model.

A file has labels and logits (or probabilities): one list column `logits` (Parquet), columns `logit_0` to `logit_{C-1}`
(Parquet, CSV) or an array `logits` (n, C) (NPZ); or else labels, predicted classes and confidences. `columns` has the
names by which they are found. Logits are read in batches into a file that is mapped into memory, so that what does not
fit into memory can be evaluated. That file has no name: it is gone when the predictions are, or the process.
"""

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow.parquet as pq

from selfdoubt.evaluation.predictions import LEAST, Predictions, order_of_ids
from selfdoubt.evaluation.summaries import NORMALISED
from selfdoubt.external import formats, rounding
from selfdoubt.external.columns import Columns, find_columns
from selfdoubt.external.formats import Batch
from selfdoubt.external.row_names import as_classes, nothing_in, whole_or_text
from selfdoubt.external.scratch import scratch
from selfdoubt.runtime.errors import UserError

OOD_CLASSES = 2**53  # of which `ood_class` is one: whole numbers above are not all float64
_NEAR_100 = 5  # by which the sum of rounded percentages may miss it
_NEGATIVE = ("entropy", "mc-dropout", "knn")  # scores that are negative entropies, or a negative distance


def read(path: Path, probabilities: bool | None = None, labelled: bool = True) -> Predictions:
    """Read one split's predictions; where the images have ids, in the order of these.

    probabilities: whether the numbers are probabilities, whose logarithms then serve as logits; None: as the column or
    array is called, and numbers called logits of which every row looks like probabilities are refused. labelled: False
    reads no labels (out of distribution: -1) but, where there is one, a column `ood_class`, the images' classes in a
    numbering of their own. Logits are float32 where the file's are float16 or float32, else float64.
    Raises UserError naming the file at any fault in it.
    """
    if path.suffix.lower() not in formats.READERS:
        raise UserError(f"{path}: '{path.suffix}' is not one of {', '.join(formats.READERS)}")
    if not path.is_file():
        raise UserError(f"{path}: {'is not a file' if path.exists() else 'no such file'}")
    with _in_one_line(path):
        columns = find_columns(path, formats.names_in(path), "label" if labelled else "ood_class", labelled)
    kept: list[Batch] = []
    batches = _kept(_each_in_one_line(path, formats.batches(path, columns)), kept)
    if columns.logits:
        logits, numbers, places = _spooled(path, batches, columns, probabilities, labelled)
    else:
        logits, numbers, places = None, "", None
        for _ in batches:
            pass
    if not kept:
        raise UserError(f"{path}: has no rows")
    found = _predictions(path, kept, columns, logits, labelled, numbers != "logits")
    if logits is None:
        signal = found.signals.get("msp", next(iter(found.signals.values())))
        places = rounding.of_batches([rounding.places_of(signal)])
    return _in_order(path, replace(found, decimal_places=places))


def confidences_in(path: Path) -> list[str]:
    """Return the names of the confidences of a file without logits; none where it has logits, or a fault."""
    if not path.is_file():
        return []
    try:
        names = formats.names_in(path)
        return list(find_columns(path, names, "label", False).confidences)
    except Exception:  # `read` raises an error that names the fault
        return []


def has_splits(path: Path) -> bool:
    """Return whether a file is a predictions table of this project, whose splits are in a column `split`."""
    return bool(columns_with_splits(path))


def columns_with_splits(path: Path) -> list[str]:
    """Return the columns of a predictions table of this project; none where a file is something else."""
    if path.suffix.lower() != ".parquet" or not path.is_file():
        return []
    try:
        names = pq.read_schema(formats.opened(path)).names
    except Exception:  # `read` raises an error that names the fault
        return []
    return names if {"split", "image_id", "label"} <= {*names} and {"logits", "predicted"} & {*names} else []


# ---- faults of formats: whatever the libraries raise is a line with the file's name ----


@contextmanager
def _in_one_line(path: Path) -> Iterator[None]:
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        what = str(error).strip() or ("it needs too much memory" if isinstance(error, MemoryError) else "it is damaged")
        raise UserError(f"{path}: cannot be read ({what.splitlines()[0][:300]})") from None


def _each_in_one_line(path: Path, batches: Iterator[Batch]) -> Iterator[Batch]:
    """Yield the batches; what the caller does with them is not in it."""
    while True:
        with _in_one_line(path):
            batch = next(batches, None)
        if batch is None:
            return
        yield batch
        del batch


def _kept(batches: Iterator[Batch], kept: list[Batch]) -> Iterator[Batch]:
    """Yield the batches, and keep them without their logits."""
    for batch in batches:
        kept.append(batch._replace(logits=None))
        yield batch
        del batch  # whose logits would stay until the next are read


# ---- logits ----


def _spooled(path: Path, batches: Iterator[Batch], columns: Columns, probabilities: bool | None, labelled: bool):
    """Return the logits of all batches, mapped, what the file's numbers are, and their decimal places if rounded."""
    numbers = columns.numbers if probabilities is None else "probabilities" if probabilities else columns.numbers
    doubtful = {1, 100} if probabilities is None and numbers == "logits" else set()
    with scratch(tempfile.TemporaryFile) as file:
        shape, dtype, places = _spool(path, batches, columns, file, numbers, doubtful, labelled)
        if not shape[0]:
            raise UserError(f"{path}: has no rows")
        return np.memmap(file, dtype, "r", shape=shape), numbers, places


def _spool(
    path: Path,
    batches: Iterator[Batch],
    columns: Columns,
    file: BinaryIO,
    numbers: str,
    doubtful: set[int],
    labelled: bool,
) -> tuple:
    """Check the batches and write their logits to `file`; return shape, type and decimal places of the logits."""
    n, n_classes, dtype, places = 0, None, None, []
    for batch in batches:
        logits, width = batch.logits, batch.logits.shape[1]
        if n_classes not in (None, width):
            raise UserError(f"{path}: {_row(n)} has {width} classes and those before have {n_classes}")
        if width < 2:
            raise UserError(f"{path}: has {width} class{'' if width else 'es'}; give two or more")
        if columns.label:
            name = columns.label if labelled else "ood_class"
            _check_labels(path, n, batch.numbers[columns.label], name, width if labelled else None)
        _check_logits(path, n, logits, columns, numbers)
        doubtful = {total for total in doubtful if _sum_to(total, logits)}
        if numbers == "probabilities":
            places.append(rounding.places_of(logits.max(-1)))
            logits = np.log(np.maximum(logits, LEAST, dtype=np.float64))
        elif numbers == "log-probabilities":
            logits = np.nan_to_num(logits, neginf=np.log(LEAST))
        file.write(logits)
        n, n_classes, dtype = n + len(logits), width, logits.dtype
        del batch, logits  # before the next are read
    if doubtful and n:
        what, hint = "rows sum to one: are they probabilities? ", "add --probabilities"
        if 1 not in doubtful:
            what, hint = "rows sum to 100: are they percentages? ", "divide them by 100 and add --probabilities"
        raise UserError(f"{path}: {what}{hint}, or --logits if they are logits all the same (in a study: numbers)")
    file.flush()
    return (n, n_classes), dtype, rounding.of_batches(places)


def _row(number: int) -> str:
    return f"row {number} (counted from 0)"


def _refuse(path: Path, start: int, faulty: np.ndarray, what: Callable[[int], str]) -> None:
    """Raise UserError at the first faulty row; faulty: (b,) bool; start: the number of the batch's first row."""
    if faulty.any():
        row = int(faulty.argmax())
        raise UserError(f"{path}: {_row(start + row)} has {what(row)}")


def _check_labels(path: Path, start: int, labels: np.ndarray, name: str, n_classes: int | None) -> None:
    """Raise UserError at the first label that is no class; n_classes: None where the classes are not the model's.

    labels: float64 (b,), since an integer type wraps what it cannot hold.
    """
    known = f"{n_classes} classes" if n_classes else "0, 1, ..., 2**53 - 1"
    _refuse(path, start, np.isnan(labels), lambda row: f"no {name}")
    whole = labels == np.round(labels)
    _refuse(path, start, ~whole, lambda row: f"{name} {labels[row]:.16g}, which is no whole number")
    strange = (labels < 0) | (labels >= (n_classes or OOD_CLASSES))
    _refuse(path, start, strange, lambda row: f"{name} {labels[row]:.16g}, which is none of {known}")


def _check_logits(path: Path, start: int, logits: np.ndarray, columns: Columns, numbers: str) -> None:
    """Raise UserError at the first row that cannot be evaluated."""
    noun, known = "probability" if numbers == "probabilities" else "logit", np.isfinite(logits)
    one = "logit" if len(columns.logits) > 1 else columns.logits[0].removesuffix("s")

    def what(row: int) -> str:
        k = int(known[row].argmin())
        if np.isnan(logits[row, k]):
            return f"no {noun} of class {k}: {one}_{k} is missing, or NaN"
        return f"a {noun} that is not finite: {one}_{k} is {logits[row, k]}"

    if numbers == "log-probabilities":
        known |= np.isneginf(logits)  # of a probability of 0
    _refuse(path, start, ~known.all(-1), what)
    if numbers == "logits":
        return
    values = np.exp(logits, dtype=np.float64) if numbers == "log-probabilities" else logits
    sums, low, off = values.sum(-1, dtype=np.float64), values.min(-1), _misses(values) > _allowed(values)
    _refuse(path, start, low < 0, lambda row: f"a probability of {low[row]:.6g}; are they logits?")
    percent = np.abs(sums - 100) <= _NEAR_100
    guess = np.where(percent, "they look like percentages: divide them by 100", "are they logits?")
    _refuse(path, start, off, lambda row: f"probabilities that sum to {sums[row]:.6g}; {guess[row]}")


def _misses(logits: np.ndarray, total: int = 1) -> np.ndarray:
    """Return by how much the sum of each row misses the total, (b,)."""
    with np.errstate(over="ignore"):
        return np.abs(logits.sum(-1, dtype=np.float64) - total)


def _sum_to(total: int, logits: np.ndarray) -> bool:
    """Return whether every row (b, C) looks like parts of a total: 1 of probabilities, 100 of percentages."""
    allowed = max(total * NORMALISED, _allowed(logits))
    return bool((logits.min(-1) >= 0).all() and (_misses(logits, total) <= allowed).all())


def _allowed(values: np.ndarray) -> float:
    """Return by how much the sums of rows (b, C) may miss 1: half a unit of the last digit seen, for each class."""
    places = rounding.places_of(values.max(-1))
    if values.min() < 0 or not places:
        return NORMALISED
    return max(NORMALISED, values.shape[1] * 0.5 * 10.0**-places)


# ---- rows ----


def _predictions(
    path: Path, kept: list[Batch], columns: Columns, logits: np.ndarray | None, labelled: bool, probabilities: bool
) -> Predictions:
    """Return the predictions of all batches, in the file's order."""
    n = sum(batch.n for batch in kept)

    def names(column: str) -> np.ndarray:
        return whole_or_text(path, column, [batch.texts[column] for batch in kept])

    def numbers(column: str) -> np.ndarray:
        return np.concatenate([batch.numbers[column] for batch in kept])

    with_ids = columns.image_id and not nothing_in([batch.texts[columns.image_id] for batch in kept])
    if columns.image_id and not with_ids:
        print(f"{path}: '{columns.image_id}' is empty in every row, and is ignored", file=sys.stderr, flush=True)
    ids = names(columns.image_id) if with_ids else None
    if logits is not None:
        of_rows = numbers(columns.label).astype(np.int64) if columns.label else None
        labels = of_rows if labelled else np.full(n, -1)
        classes = None if labelled else of_rows
        return Predictions(logits, labels, None, classes, of_probabilities=probabilities, image_ids=ids)
    signals = {score: numbers(column) for score, column in columns.confidences.items()}
    for score, values in signals.items():
        _refuse(path, 0, ~np.isfinite(values), lambda row, s=score, v=values: f"a {s} that is not finite: {v[row]}")
        if score in _NEGATIVE and (values > 1e-6).any():
            raise UserError(f"{path}: '{score}' is above 0, so it grows with doubt; give its negative, a confidence")
    if not labelled:
        return Predictions(None, np.full(n, -1), np.full(n, -1), signals=signals, image_ids=ids)
    labels, predicted = as_classes(path, names(columns.label), names(columns.predicted))
    return Predictions(None, labels, predicted, signals=signals, image_ids=ids)


def _in_order(path: Path, found: Predictions) -> Predictions:
    """Return the rows in the order of their ids, where they have some; logits are put in order on the disk."""
    order = None if found.image_ids is None else order_of_ids(found.image_ids, str(path))
    if order is None:
        return found
    if found.logits is None:
        return found.rows(order)
    step = max(1, formats.BATCH_NUMBERS // found.logits.shape[1])
    with scratch(tempfile.TemporaryFile) as file:
        for start in range(0, len(order), step):
            file.write(found.logits[order[start : start + step]])
        file.flush()
        return found.rows(order, np.memmap(file, found.logits.dtype, "r", shape=found.logits.shape))
