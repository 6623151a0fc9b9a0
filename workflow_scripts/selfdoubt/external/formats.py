"""The formats of predictions from elsewhere, Parquet, CSV and NPZ: the names in a file, and its rows in batches."""

import os
import re
import shutil
import tempfile
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from selfdoubt.external.columns import Columns
from selfdoubt.external.csv_form import form_of
from selfdoubt.external.scratch import scratch
from selfdoubt.runtime.errors import UserError
from selfdoubt.runtime.texts import not_utf8

BATCH_NUMBERS = 2**20
_BLOCK_BYTES = 2**21  # of CSV, of which a few are read ahead; a row must fit


class Batch(NamedTuple):
    """Some rows of a file."""

    n: int
    logits: np.ndarray | None  # (n, C), float32 or float64 in all of a file; None where it has none
    texts: dict[str, pa.Array]  # by the column's name, int64 or string
    numbers: dict[str, np.ndarray]  # float64


def names_in(path: Path) -> list[str]:
    """Return the names of a file's columns, or of its arrays."""
    return READERS[path.suffix.lower()][0](path)


def batches(path: Path, columns: Columns) -> Iterator[Batch]:
    """Yield a file's rows, each batch with one or more."""
    return READERS[path.suffix.lower()][1](path, columns)


def opened(path: Path) -> pa.OSFile:
    """Open a file whose name need not be UTF-8, which pyarrow refuses as text."""
    return pa.OSFile(os.fsencode(path))


# ---- Parquet ----


def _parquet_names(path: Path) -> list[str]:
    return pq.read_schema(opened(path)).names


def _parquet(path: Path, columns: Columns) -> Iterator[Batch]:
    # Buffered, a column is read page by page, and not a row group at once.
    options = {"pre_buffer": False, "buffer_size": 2**14, "page_checksum_verification": True}
    with pq.ParquetFile(opened(path), **options) as file:
        types = [file.schema_arrow.field(name).type for name in columns.logits]
        types = [getattr(kind, "value_type", kind) for kind in types]
        dtype = np.float32 if set(types) <= {pa.float16(), pa.float32()} else np.float64
        n_rows = max(1, BATCH_NUMBERS // max(1, _width(file, columns.logits)))
        wanted = [*columns.logits, *columns.texts, *columns.of_numbers]
        for batch in file.iter_batches(n_rows, columns=wanted):
            if len(batch):
                yield _of_table(path, batch, columns, dtype)


def _width(file: pq.ParquetFile, logits: list[str]) -> int:
    """Return how many logits a row has, by the first row group that has rows."""
    groups = (file.metadata.row_group(i) for i in range(file.num_row_groups))
    group = next((group for group in groups if group.num_rows), None)
    if len(logits) != 1 or group is None:
        return len(logits)
    leaves = (group.column(i) for i in range(group.num_columns))
    return max(leaf.num_values for leaf in leaves if leaf.path_in_schema.split(".")[0] == logits[0]) // group.num_rows


# ---- CSV ----


def _csv_names(path: Path) -> list[str]:
    return [name.strip() for name in _csv_header(path)]  # spaces after the commas are no part of a name


def _csv_header(path: Path) -> list[str]:
    try:
        with _csv_opened(path) as reader:
            return reader.schema.names
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        raise _csv_fault(path, error) from None


def _csv_opened(path: Path, types: pyarrow.csv.ConvertOptions | None = None) -> pyarrow.csv.CSVStreamingReader:
    options = pyarrow.csv.ReadOptions(block_size=_BLOCK_BYTES)
    return pyarrow.csv.open_csv(
        opened(path), options, pyarrow.csv.ParseOptions(delimiter=form_of(path).separator), types
    )


def _csv_fault(path: Path, error: pa.ArrowInvalid | UnicodeDecodeError) -> UserError:
    if isinstance(error, UnicodeDecodeError) or "invalid UTF8" in str(error):
        return not_utf8(path)
    return UserError(f"{path}: cannot be read ({str(error).splitlines()[0][:300]}; {form_of(path)})")


def _csv(path: Path, columns: Columns) -> Iterator[Batch]:
    # The header is read first, since a column without a type has the one that its first block suggests.
    raw = _csv_header(path)
    names = [name.strip() for name in raw]
    wanted = [*columns.logits, *columns.texts, *columns.of_numbers]
    own = {name: raw[names.index(name)] for name in wanted}
    options = pyarrow.csv.ConvertOptions(
        include_columns=list(own.values()),
        column_types={own[name]: pa.string() if name in columns.texts else pa.float64() for name in wanted},
        decimal_point=form_of(path).decimal_mark,
        strings_can_be_null=True,
    )
    try:
        with _csv_opened(path, options) as reader:
            for batch in reader:
                if len(batch):
                    yield _of_table(path, batch.rename_columns(wanted), columns, np.float64)
    except pa.ArrowInvalid as error:
        found = re.search(
            r"In CSV column #(\d+): (?:Row #\d+: )?CSV conversion error to double: invalid value '(.*)'", str(error)
        )
        if not found:
            raise _csv_fault(path, error) from None
        what = f"'{found[2][:50]}', which is no number ({form_of(path)})"
        raise _no_number(path, names[int(found[1])], what, columns) from None


# ---- tables ----


def _of_table(path: Path, batch: pa.RecordBatch, columns: Columns, dtype: type) -> Batch:
    texts = {name: _texts(batch.column(name)) for name in columns.texts}
    numbers = {name: _floats(path, name, batch.column(name), np.float64, columns) for name in columns.of_numbers}
    return Batch(len(batch), _logits(path, batch, columns, dtype), texts, numbers)


def _logits(path: Path, batch: pa.RecordBatch, columns: Columns, dtype: type) -> np.ndarray | None:
    names = columns.logits
    if not names:
        return None
    if len(names) > 1 or names[0] == "logit_0":
        return np.stack([_floats(path, name, batch.column(name), dtype, columns) for name in names], 1)
    name, lists = names[0], batch.column(names[0])
    if not hasattr(lists, "value_lengths") or pa.types.is_map(lists.type):
        raise UserError(f"{path}: '{name}' is of type {lists.type}, expected a list of numbers in each row")
    if lists.null_count:
        raise UserError(f"{path}: '{name}' has a row without a list")
    lengths = lists.value_lengths().to_numpy()
    if (lengths != lengths[0]).any():
        raise UserError(f"{path}: the lists in '{name}' are not all of one length")
    return _floats(path, name, lists.flatten(), dtype, columns).reshape(len(batch), lengths[0])


def _plain(column: pa.Array) -> pa.Array:
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _texts(column: pa.Array) -> pa.Array:
    """Return a column of names as strings, or as int64 where it holds whole numbers; null where there is none."""
    values = _plain(column)
    if pa.types.is_floating(values.type):
        values = pc.if_else(pc.is_nan(values), None, values)
    whole = pa.types.is_integer(values.type) and values.type != pa.uint64()
    return values.cast(pa.int64() if whole else pa.string())


def _floats(path: Path, name: str, column: pa.Array, dtype: type, columns: Columns) -> np.ndarray:
    """Return a column of numbers, NaN where it has none."""
    values = _plain(column)
    kind, known = values.type, pa.types
    numeric = (known.is_integer, known.is_floating, known.is_boolean, known.is_decimal, known.is_null)
    if not any(holds(kind) for holds in numeric):
        raise _no_number(path, name, f"something that is no number ({kind})", columns)
    wanted = pa.from_numpy_dtype(dtype)
    return (values if kind == wanted else values.cast(wanted, safe=False)).to_numpy(zero_copy_only=False)


def _no_number(path: Path, name: str, what: str, columns: Columns) -> UserError:
    more = "; labels must be whole numbers 0, 1, ..." if name == columns.label else ""
    return UserError(f"{path}: '{name}' holds {what}{more}")


# ---- NPZ ----


def _npz_names(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        return [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]


def _npz(path: Path, columns: Columns) -> Iterator[Batch]:
    with zipfile.ZipFile(path) as archive:
        logits = _unpacked(path, archive, columns.logits[0], columns) if columns.logits else None
        of_rows = {name: _unpacked(path, archive, name, columns) for name in [*columns.texts, *columns.of_numbers]}
    n = _n_rows(path, logits, of_rows, columns)
    small = logits is not None and logits.dtype.kind == "f" and logits.dtype.itemsize <= 4
    n_rows = max(1, BATCH_NUMBERS // max(1, 1 if logits is None else logits.shape[1]))
    for start in range(0, n, n_rows):
        rows = slice(start, min(start + n_rows, n))
        numbers = {name: np.ascontiguousarray(of_rows[name][rows], np.float64) for name in columns.of_numbers}
        texts = {name: _texts(pa.array(of_rows[name][rows].tolist())) for name in columns.texts}
        part = None if logits is None else np.ascontiguousarray(logits[rows], np.float32 if small else np.float64)
        yield Batch(rows.stop - start, part, texts, numbers)


def _n_rows(path: Path, logits: np.ndarray | None, of_rows: dict[str, np.ndarray], columns: Columns) -> int:
    """Return how many rows the arrays have; raises UserError where their shapes do not fit together."""
    if logits is not None and logits.ndim != 2:
        raise UserError(f"{path}: '{columns.logits[0]}' is of shape {logits.shape}, expected (n, C)")
    n = len(logits if logits is not None else next(iter(of_rows.values())))
    for name, values in of_rows.items():
        if logits is not None and values.shape == logits.shape[1:] != logits.shape[:1]:
            shape = f"'{columns.logits[0]}' is of shape {logits.shape} for {len(values)} labels"
            raise UserError(f"{path}: {shape}: transpose it to ({len(values)}, C)")
        if values.shape != (n,):
            raise UserError(f"{path}: '{name}' is of shape {values.shape}, expected ({n},)")
    return n


def _unpacked(path: Path, archive: zipfile.ZipFile, name: str, columns: Columns) -> np.ndarray:
    """Return an array of an archive, unpacked to the disk and mapped, whatever size its header states."""
    with scratch(tempfile.NamedTemporaryFile) as file:
        with archive.open(f"{name}.npy") as member:
            shutil.copyfileobj(member, file)
        file.flush()
        with warnings.catch_warnings(action="ignore"):  # NumPy's, of a header that Python 2 wrote
            array = np.lib.format.open_memmap(file.name, "r")
    if array.dtype.kind not in ("biufU" if name in columns.texts else "biuf"):
        raise _no_number(path, name, f"something that is no real number ({array.dtype})", columns)
    return array


READERS = {  # the names in a file, and its batches
    ".parquet": (_parquet_names, _parquet),
    ".csv": (_csv_names, _csv),
    ".npz": (_npz_names, _npz),
}
