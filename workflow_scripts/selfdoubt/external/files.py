"""Predictions that this project did not make: Parquet, CSV or NPZ, from any model.

A file has a column `label` and the logits as one list column `logits` (Parquet), as columns `logit_0` to `logit_{C-1}`
(Parquet, CSV) or as an array `logits` (n, C) beside an array `label` (n,) (NPZ). It is read in batches into a file that
is mapped into memory, so that what does not fit into memory can be evaluated. That file has no name: it is gone when
the predictions are, or the process.
"""

import errno
import lzma
import os
import re
import shutil
import tempfile
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from selfdoubt.evaluation.predictions import Predictions
from selfdoubt.evaluation.summaries import NORMALISED
from selfdoubt.external.columns import find_columns
from selfdoubt.runtime.errors import UserError

LEAST = 1e-300  # what a probability of 0 counts as
OOD_CLASSES = 2**53  # of which `ood_class` is one: whole numbers above are not all float64
BATCH_NUMBERS = 2**20
_BLOCK_BYTES = 2**21  # of CSV, of which a few are read ahead; a row must fit
# What readers of formats raise at damaged bytes; zipfile raises RuntimeError where it cannot decrypt or decompress,
# NumPy parses headers as Python.
_FAULTS = (pa.ArrowException, zipfile.BadZipFile, zlib.error, lzma.LZMAError, tokenize.TokenError, SyntaxError)
_FAULTS += (OSError, EOFError, ValueError, RuntimeError, MemoryError, OverflowError)
Batch = tuple[np.ndarray, np.ndarray | None]  # logits (b, C), float32 or float64 in all of a file; labels float64 (b,)


def read(path: Path, probabilities: bool | None = None, labelled: bool = True) -> Predictions:
    """Read one split's predictions.

    probabilities: whether the numbers are probabilities, whose logarithms then serve as logits; None: not known, so
    that numbers of which every row looks like probabilities are refused. labelled: False reads no labels (out of
    distribution: -1) but, where there is one, a column `ood_class`, the images' classes in a numbering of their own.
    Logits are float32 where the file's are float16 or float32, else float64.
    Raises UserError naming the file at any fault in it.
    """
    readers = {".parquet": _parquet, ".csv": _csv, ".npz": _npz}
    if _suffix(path) not in readers:
        raise UserError(f"{path}: '{path.suffix}' is not one of {', '.join(readers)}")
    if not path.is_file():
        raise UserError(f"{path}: {'is not a file' if path.exists() else 'no such file'}")
    batches = _in_one_line(path, readers[_suffix(path)](path, "label" if labelled else "ood_class", labelled))
    with _scratch(tempfile.TemporaryFile) as file:
        shape, dtype, labels = _spool(path, batches, file, probabilities, labelled)
        if not shape[0]:
            raise UserError(f"{path}: has no rows")
        logits = np.memmap(file, dtype, "r", shape=shape)
    if labelled:
        return Predictions(logits, labels)
    return Predictions(logits, np.full(shape[0], -1), ood_classes=labels)


def has_splits(path: Path) -> bool:
    """Return whether a file is a predictions table of this project, whose splits are in a column `split`."""
    return bool(columns_with_splits(path))


def columns_with_splits(path: Path) -> list[str]:
    """Return the columns of a predictions table of this project; none where a file is something else."""
    if _suffix(path) != ".parquet" or not path.is_file():
        return []
    try:
        names = pq.read_schema(_opened(path)).names
    except _FAULTS:
        return []  # `read` raises an error that names the fault
    return names if {"split", "image_id", "label", "logits"} <= set(names) else []


def _spool(path: Path, batches: Iterator[Batch], file: BinaryIO, probabilities: bool | None, labelled: bool) -> tuple:
    """Check the batches and write their logits to `file`; return shape and type of the logits, and the labels."""
    n, n_classes, dtype, labels, doubtful = 0, None, None, [], probabilities is None
    for logits, label in batches:
        width = logits.shape[1]
        if n_classes not in (None, width):
            raise UserError(f"{path}: {_row(n)} has {width} classes and those before have {n_classes}")
        if width < 2:
            raise UserError(f"{path}: has {width} class{'' if width else 'es'}; give two or more")
        if label is not None:
            _check_labels(path, n, label, "label" if labelled else "ood_class", width if labelled else None)
            labels.append(label.astype(np.int64))
        _check_logits(path, n, logits, probabilities)
        doubtful = doubtful and bool((logits.min(-1) >= 0).all() and (_misses(logits) <= NORMALISED).all())
        logits = np.log(np.maximum(logits, LEAST, dtype=np.float64)) if probabilities else logits
        file.write(logits)
        n, n_classes, dtype = n + len(logits), width, logits.dtype
    if doubtful and n:
        hint = "add --probabilities, or --logits if they are logits all the same"
        raise UserError(f"{path}: rows sum to one: are they probabilities? {hint}")
    file.flush()
    return (n, n_classes), dtype, np.concatenate(labels) if labels else None


@contextmanager
def _scratch(create: Callable) -> Iterator[BinaryIO]:
    """Yield a new file of `tempfile` that is deleted in the end; what is mapped of it stays as long as the mapping."""
    try:
        with create() as file:
            yield file
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        folder = tempfile.gettempdir()
        raise UserError(f"{folder}: the disk is full; make room or set TMPDIR to another folder") from None


def _in_one_line(path: Path, batches: Iterator[Batch]) -> Iterator[Batch]:
    """Yield the batches; raise UserError where the formats' own readers fail."""
    try:
        yield from batches
    except _FAULTS as error:
        what = str(error).strip() or ("it needs too much memory" if isinstance(error, MemoryError) else "it is damaged")
        raise UserError(f"{path}: cannot be read ({what.splitlines()[0][:300]})") from None


def _suffix(path: Path) -> str:
    return path.suffix.lower()


# ---- checks ----


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


def _check_logits(path: Path, start: int, logits: np.ndarray, probabilities: bool | None) -> None:
    """Raise UserError at the first row that cannot be evaluated."""
    noun, known = "probability" if probabilities else "logit", np.isfinite(logits)

    def what(row: int) -> str:
        k = int(known[row].argmin())
        if np.isnan(logits[row, k]):
            return f"no {noun} of class {k}: logit_{k} is missing, or NaN"
        return f"a {noun} that is not finite: logit_{k} is {logits[row, k]}"

    _refuse(path, start, ~known.all(-1), what)
    if probabilities:
        sums, low, off = logits.sum(-1, dtype=np.float64), logits.min(-1), _misses(logits) > NORMALISED
        _refuse(path, start, low < 0, lambda row: f"a probability of {low[row]:.6g}; are they logits?")
        _refuse(path, start, off, lambda row: f"probabilities that sum to {sums[row]:.6g}; are they logits?")


def _misses(logits: np.ndarray) -> np.ndarray:
    """Return by how much the sum of each row misses 1, (b,)."""
    with np.errstate(over="ignore"):
        return np.abs(logits.sum(-1, dtype=np.float64) - 1)


def _no_number(path: Path, name: str, what: str) -> UserError:
    more = "; labels must be whole numbers 0, 1, ..." if name in ("label", "ood_class") else ""
    return UserError(f"{path}: '{name}' holds {what}{more}")


# ---- tables ----


def _parquet(path: Path, label: str, labelled: bool) -> Iterator[Batch]:
    # Buffered, a column is read page by page, and not a row group at once.
    options = {"pre_buffer": False, "buffer_size": 2**14, "page_checksum_verification": True}
    with pq.ParquetFile(_opened(path), **options) as file:
        schema = file.schema_arrow
        logits, labels = find_columns(path, schema.names, label, labelled)
        types = [schema.field(name).type for name in logits]
        types = [getattr(kind, "value_type", kind) for kind in types]
        dtype = np.float32 if set(types) <= {pa.float16(), pa.float32()} else np.float64
        n_rows = max(1, BATCH_NUMBERS // max(1, _width(file, logits)))
        for batch in file.iter_batches(n_rows, columns=logits + labels):
            if len(batch):
                yield _of_table(path, batch, logits, labels, dtype)


def _width(file: pq.ParquetFile, logits: list[str]) -> int:
    """Return how many logits a row has, by the first row group that has rows."""
    groups = (file.metadata.row_group(i) for i in range(file.num_row_groups))
    group = next((group for group in groups if group.num_rows), None)
    if logits != ["logits"] or group is None:
        return len(logits)
    leaves = (group.column(i) for i in range(group.num_columns))
    return max(leaf.num_values for leaf in leaves if leaf.path_in_schema.split(".")[0] == "logits") // group.num_rows


def _csv(path: Path, label: str, labelled: bool) -> Iterator[Batch]:
    # The header is read first, since a column without a type has the one that its first block suggests.
    options = pyarrow.csv.ReadOptions(block_size=_BLOCK_BYTES)
    with pyarrow.csv.open_csv(_opened(path), options) as reader:
        raw = reader.schema.names
    names = [name.strip() for name in raw]  # spaces after the commas are no part of a name
    logits, labels = find_columns(path, names, label, labelled)
    wanted = [raw[names.index(name)] for name in logits + labels]
    types = pyarrow.csv.ConvertOptions(include_columns=wanted, column_types=dict.fromkeys(wanted, pa.float64()))
    try:
        with pyarrow.csv.open_csv(_opened(path), options, convert_options=types) as reader:
            for batch in reader:
                if len(batch):
                    yield _of_table(path, batch.rename_columns(logits + labels), logits, labels, np.float64)
    except pa.ArrowInvalid as error:
        found = re.search(
            r"In CSV column #(\d+): (?:Row #\d+: )?CSV conversion error to double: invalid value '(.*)'", str(error)
        )
        raise (
            _no_number(path, names[int(found[1])], f"'{found[2][:50]}', which is no number") if found else error
        ) from None


def _opened(path: Path) -> pa.OSFile:
    return pa.OSFile(os.fsencode(path))  # bytes: pyarrow refuses names that are not UTF-8


def _of_table(path: Path, batch: pa.RecordBatch, logits: list[str], labels: list[str], dtype: type) -> Batch:
    found = [_floats(path, name, batch.column(name), np.float64) for name in labels]
    label = found[0] if found else None
    if logits != ["logits"]:
        return np.stack([_floats(path, name, batch.column(name), dtype) for name in logits], 1), label
    lists = batch.column("logits")
    if not hasattr(lists, "value_lengths") or pa.types.is_map(lists.type):
        raise UserError(f"{path}: 'logits' is of type {lists.type}, expected a list of numbers in each row")
    if lists.null_count:
        raise UserError(f"{path}: 'logits' has a row without a list")
    lengths = lists.value_lengths().to_numpy()
    if (lengths != lengths[0]).any():
        raise UserError(f"{path}: the lists in 'logits' are not all of one length")
    return _floats(path, "logits", lists.flatten(), dtype).reshape(len(batch), lengths[0]), label


def _floats(path: Path, name: str, column: pa.Array, dtype: type) -> np.ndarray:
    """Return a column of numbers, NaN where it has none."""
    values = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
    kind, known = values.type, pa.types
    numeric = (known.is_integer, known.is_floating, known.is_boolean, known.is_decimal, known.is_null)
    if not any(holds(kind) for holds in numeric):
        raise _no_number(path, name, f"something that is no number ({kind})")
    wanted = pa.from_numpy_dtype(dtype)
    return (values if kind == wanted else values.cast(wanted, safe=False)).to_numpy(zero_copy_only=False)


# ---- archives ----


def _npz(path: Path, label: str, labelled: bool) -> Iterator[Batch]:
    with zipfile.ZipFile(path) as archive:
        members = [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]
        _, found = find_columns(path, members, label, labelled)
        logits = _unpacked(path, archive, "logits")
        labels = _unpacked(path, archive, label) if found else None
    if logits.ndim != 2:
        raise UserError(f"{path}: 'logits' is of shape {logits.shape}, expected (n, C)")
    if labels is not None and labels.shape == logits.shape[1:] != logits.shape[:1]:
        n = len(labels)
        raise UserError(f"{path}: 'logits' is of shape {logits.shape} for {n} labels: transpose it to ({n}, C)")
    if labels is not None and labels.shape != logits.shape[:1]:
        raise UserError(f"{path}: '{label}' is of shape {labels.shape}, expected ({len(logits)},)")
    small = logits.dtype.kind == "f" and logits.dtype.itemsize <= 4
    n_rows = max(1, BATCH_NUMBERS // max(1, logits.shape[1]))
    for start in range(0, len(logits), n_rows):
        rows = slice(start, start + n_rows)
        numbers = np.ascontiguousarray(logits[rows], np.float32 if small else np.float64)
        yield numbers, None if labels is None else np.ascontiguousarray(labels[rows], np.float64)


def _unpacked(path: Path, archive: zipfile.ZipFile, name: str) -> np.ndarray:
    """Return an array of an archive, unpacked to the disk and mapped, whatever size its header states."""
    with _scratch(tempfile.NamedTemporaryFile) as file:
        with archive.open(f"{name}.npy") as member:
            shutil.copyfileobj(member, file)
        file.flush()
        with warnings.catch_warnings(action="ignore"):  # NumPy's, of a header that Python 2 wrote
            array = np.lib.format.open_memmap(file.name, "r")
    if array.dtype.kind not in "biuf":
        raise _no_number(path, name, f"something that is no real number ({array.dtype})")
    return array
