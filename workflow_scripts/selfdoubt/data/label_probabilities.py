"""Labels that several people gave the same images: which fraction of them gave each class."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from selfdoubt.data.raw import Encoded
from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.listing import composed

FILE = "file"  # the column of names; all others are classes


def fractions(counts: np.ndarray, place: object) -> np.ndarray:
    """Return counts or fractions (n, K) as fractions, rows of sum 1, float64; raises UserError that names the place."""
    if counts.ndim != 2 or counts.shape[1] < 2 or counts.dtype.kind not in "iuf":
        raise UserError(f"{place}: is {counts.dtype} of shape {counts.shape}; give numbers (images, classes)")
    counts = counts.astype(np.float64)
    if (wrong := ~(np.isfinite(counts) & (counts >= 0)).all(1) | (counts.max(1) <= 0)).any():
        raise UserError(f"{place}: row {wrong.argmax()} has no counts of at least 0 and more than 0 in all; mend it")
    counts = counts / counts.max(1, keepdims=True)  # the sum of large numbers may not be finite
    return counts / counts.sum(1, keepdims=True)


def of_file(path: Path, images: Encoded, class_names: list[str]) -> np.ndarray | None:
    """Return the fractions (n, K), float32, of images by their names; None if the file has none of them.

    path: a CSV or Parquet file of a column `file`, of names below its folder, and one of numbers for each class. Raises
    UserError if it is none, if it has other classes, or some of the images and not all.
    """
    table = _read(path)
    names = [composed(name) for name in map(str, table.pop(FILE).to_pylist())]
    if different := sorted({*table} ^ {*class_names}):
        what = f"a column of each class and no others are expected, and '{different[0]}' is "
        raise UserError(f"{path}: {what}{'no class' if different[0] in table else 'missing'}; mend it")
    row_of = {name: row for row, name in enumerate(names)}
    if len(row_of) < len(names):
        raise UserError(f"{path}: {next(n for n in names if names.count(n) > 1)} is there twice; give each one row")
    rows = [row_of.get(composed(name)) for name in images.names]
    if None in rows:
        if not any(row is not None for row in rows):
            return None
        missing = images.names[rows.index(None)]
        raise UserError(f"{path}: has no row of {missing}; give a row for each image of a split, or for none")
    columns = [_numbers(path, name, table[name]) for name in class_names]
    return fractions(np.stack(columns, 1)[rows], path).astype(np.float32)


def of_column(column: pa.ChunkedArray, n_classes: int, place: object) -> np.ndarray:
    """Return the fractions (n, K), float32, of a column of lists of K numbers, in the order of the classes."""
    rows = column.to_pylist()
    if wrong := [row for row, values in enumerate(rows) if len(values) != n_classes or None in values]:
        what = f"label_probabilities of row {wrong[0]} are {len(rows[wrong[0]])} numbers or nulls"
        raise UserError(f"{place}: {what}; give {n_classes}, one for each class of train")
    return fractions(np.array(rows), f"{place}: label_probabilities").astype(np.float32)


def _read(path: Path) -> dict[str, pa.ChunkedArray]:
    """Return the columns by composed name, as class folders are called, FILE among them."""
    from pyarrow import csv  # which most data sets do not need

    try:
        table = pq.read_table(path, partitioning=None) if path.suffix == ".parquet" else csv.read_csv(path)
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, MemoryError) or getattr(error, "errno", None) is not None:
            raise
        first = str(error).split("\n")[0]
        raise UserError(f"{path}: not readable as {path.suffix[1:]} ({first}); mend it") from None
    columns = {composed(name): table.column(i) for i, name in enumerate(table.column_names)}
    if FILE not in columns or len(columns) < table.num_columns:
        found = ", ".join(table.column_names)
        raise UserError(f"{path}: needs one column '{FILE}' and one of each class; columns: {found}")
    return columns


def _numbers(path: Path, name: str, column: pa.ChunkedArray) -> np.ndarray:
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)) or column.null_count:
        raise UserError(f"{path}: column '{name}' is {column.type} with {column.null_count} nulls; give numbers")
    return column.to_numpy().astype(np.float64)
