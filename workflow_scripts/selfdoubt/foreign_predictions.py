"""Predictions that this project did not make: Parquet, CSV or NPZ, from any model.

A file has a column `label` and the logits as one list column `logits`, as columns `logit_0` to `logit_{C-1}`, or, in
NPZ, as arrays `logits` (n, C) and `label` (n,). It is read in batches into a file that is mapped into memory, so that
what does not fit into memory can be evaluated; only NPZ is unpacked whole.
"""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from selfdoubt.errors import UserError
from selfdoubt.scores import first_fault
from selfdoubt.summaries import Predictions

SUM_TOLERANCE = 1e-3  # of the probabilities of a row; float16 rounds so much
LEAST = 1e-300  # what a probability of 0 counts as
_ROWS = 2**14  # of a batch
Batch = tuple[np.ndarray, np.ndarray | None]  # logits (b, C), labels (b,)


def read(path: Path, scratch: Path, probabilities: bool = False, labelled: bool = True) -> Predictions:
    """Read one split's predictions.

    scratch: a folder for the mapped file, which must live as long as the result. probabilities: whether the numbers are
    probabilities, whose logarithms then serve as logits. labelled: False reads no labels (out of distribution: -1) but,
    where there is one, a column `ood_class`, the images' classes in a numbering of their own.
    Raises UserError naming the file at whatever is wrong with it.
    """
    readers = {".parquet": _parquet, ".csv": _csv, ".npz": _npz}
    if path.suffix not in readers:
        raise UserError(f"{path}: '{path.suffix}' is not one of {', '.join(readers)}")
    mapped, labels, shape = scratch / f"{len(list(scratch.iterdir()))}.bin", [], (0, 0)
    with mapped.open("wb") as file:
        for logits, label in _told(path, readers[path.suffix](path, "label" if labelled else "ood_class", labelled)):
            if shape[1] not in (0, logits.shape[1]):
                raise UserError(f"{path}: row {shape[0]} has {logits.shape[1]} classes and those before {shape[1]}")
            _check(path, shape[0], logits, label, probabilities, labelled)
            file.write((np.log(np.maximum(logits, LEAST)) if probabilities else logits).tobytes())
            labels += [] if label is None else [label.astype(np.int64)]
            shape = (shape[0] + len(logits), logits.shape[1])
    if not shape[0]:
        raise UserError(f"{path}: has no rows")
    if shape[1] < 2:
        raise UserError(f"{path}: has {shape[1]} class; give two or more")
    numbers, told = np.memmap(mapped, np.float64, "r", shape=shape), np.concatenate(labels) if labels else None
    return Predictions(numbers, told) if labelled else Predictions(numbers, np.full(shape[0], -1), ood_classes=told)


def _told(path: Path, batches: Iterator[Batch]) -> Iterator[Batch]:
    """Yield the batches; faults of the formats' own readers are told in one line."""
    try:
        yield from batches
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (pa.ArrowException, zipfile.BadZipFile, OSError) as error:
        raise UserError(f"{path}: cannot be read ({str(error).splitlines()[0]})") from None


def _check(path: Path, start: int, logits: np.ndarray, labels, probabilities: bool, labelled: bool) -> None:
    """Raise UserError at the first row that cannot be evaluated; start: the first row's number."""
    label = "label" if labelled else "ood_class"
    if labels is not None and not np.isfinite(labels).all():
        raise UserError(f"{path}: row {start + np.isfinite(labels).argmin()} has no {label}")
    if labels is not None and (labels != np.round(labels)).any():
        row = start + (labels != np.round(labels)).argmax()
        raise UserError(f"{path}: row {row} has {label} {labels[row - start]}, which is no whole number")
    if labels is not None and not labelled and (labels < 0).any():
        raise UserError(f"{path}: row {start + (labels < 0).argmax()} has an ood_class below 0")
    if fault := first_fault(logits, labels.astype(np.int64) if labelled else None):
        row, rest = re.fullmatch(r"row (\d+) (.*)", fault).groups()
        raise UserError(f"{path}: row {start + int(row)} {rest}")
    if probabilities:
        sums, low = logits.sum(1), logits.min(1)
        wrong = (np.abs(sums - 1) > SUM_TOLERANCE) | (low < 0)
        if wrong.any():
            row = wrong.argmax()
            found = f"sum to {sums[row]:.6g}" if low[row] >= 0 else f"have one of {low[row]:.6g}"
            raise UserError(f"{path}: the probabilities of row {start + row} {found}; are they logits?")


# ---- formats ----


def _parquet(path: Path, label: str, labelled: bool) -> Iterator[Batch]:
    file = pq.ParquetFile(path)
    columns = _columns(path, file.schema_arrow.names, label, labelled)
    for batch in file.iter_batches(_ROWS, columns=columns):
        yield _of_table(path, batch, label)


def _csv(path: Path, label: str, labelled: bool) -> Iterator[Batch]:
    with pyarrow.csv.open_csv(path) as reader:
        columns = _columns(path, reader.schema.names, label, labelled)
        for batch in reader:
            yield _of_table(path, batch.select(columns), label)


def _npz(path: Path, label: str, labelled: bool) -> Iterator[Batch]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            columns = _columns(path, list(arrays), label, labelled)
            logits, labels = arrays["logits"], arrays[label] if label in columns else None
    except (ValueError, EOFError) as error:  # objects, which would be unpickled; an empty file
        raise UserError(f"{path}: cannot be read ({str(error).splitlines()[0]})") from None
    if logits.ndim != 2:
        raise UserError(f"{path}: logits are of shape {logits.shape}, expected (n, C)")
    if labels is not None and labels.shape != logits.shape[:1]:
        raise UserError(f"{path}: {label} is of shape {labels.shape}, expected ({len(logits)},)")
    for start in range(0, len(logits), _ROWS):
        rows = slice(start, start + _ROWS)
        yield _numbers(path, "logits", logits[rows]), None if labels is None else _numbers(path, label, labels[rows])


def _columns(path: Path, names: list[str], label: str, labelled: bool) -> list[str]:
    """Return the columns to read, the logits in the order of the classes; labelled: whether `label` must be there."""
    numbered = sorted((name for name in names if re.fullmatch(r"logit_\d+", name)), key=lambda name: int(name[6:]))
    logits = ["logits"] if "logits" in names else numbered
    if not logits:
        raise UserError(f"{path}: has no column 'logits' or 'logit_0', 'logit_1', ...; columns: {', '.join(names)}")
    if logits != ["logits"] and logits != [f"logit_{k}" for k in range(len(logits))]:
        raise UserError(f"{path}: logit columns must be logit_0 to logit_{len(logits) - 1}; found {', '.join(logits)}")
    if labelled and "label" not in names:
        raise UserError(f"{path}: has no column 'label'; columns: {', '.join(names)}")
    return logits + [label] * (label in names)


def _of_table(path: Path, batch: pa.RecordBatch, label: str) -> Batch:
    def numbers(name: str) -> np.ndarray:
        return _numbers(path, name, batch.column(name).to_numpy(zero_copy_only=False))

    labels = numbers(label) if label in batch.schema.names else None
    if "logits" not in batch.schema.names:
        return np.stack([numbers(name) for name in batch.schema.names if name != label], 1), labels
    lists = batch.column("logits")
    if not hasattr(lists, "value_lengths"):
        raise UserError(f"{path}: column 'logits' is of type {lists.type}, expected a list of numbers in each row")
    flat = _numbers(path, "logits", lists.flatten().to_numpy(zero_copy_only=False))
    if len(batch) == 0 or len(flat) % len(batch) or len(set(lists.value_lengths().to_pylist())) != 1:
        raise UserError(f"{path}: the lists in 'logits' are not all of one length")
    return flat.reshape(len(batch), -1), labels


def _numbers(path: Path, name: str, array: np.ndarray) -> np.ndarray:
    try:
        return np.ascontiguousarray(array, dtype=np.float64)
    except (ValueError, TypeError) as error:
        raise UserError(f"{path}: '{name}' holds something that is no number ({error})") from None
