"""What the footers of Parquet files say of the tables in them, without reading a row: for memory that jobs request."""

from collections.abc import Iterable
from pathlib import Path

LABELS = ("label", "labels", "fine_label")  # the names of the column of labels, the first that is there


def n_rows(paths: Iterable[Path]) -> int:
    """Return how many rows the tables have together; raises OSError if one cannot be read as Parquet."""
    return sum(footer.num_rows for footer in _footers(paths))


def n_labels(paths: Iterable[Path]) -> int | None:
    """Return how many integers lie between the least and the largest label of the tables; None: text, or not stated.

    Raises OSError if one cannot be read as Parquet.
    """
    ends = [end for footer in _footers(paths) for end in _label_ends(footer)]
    if not ends or not all(isinstance(end, int) for end in ends):
        return None
    return max(ends) - min(ends) + 1


def _footers(paths: Iterable[Path]) -> list:
    import pyarrow as pa  # a third of a second, which studies of other sources do without
    import pyarrow.parquet as pq

    try:
        return [pq.read_metadata(path) for path in paths]
    except pa.ArrowException as error:
        raise OSError(f"no footer: {error}") from None


def _label_ends(footer) -> list:
    """Return the least and the largest label of each group of rows; [None] where one does not state them."""
    columns = [footer.schema.column(i).path for i in range(footer.num_columns)]
    name = next((name for name in LABELS if name in columns), None)
    if name is None:
        return [None]
    groups = [footer.row_group(i).column(columns.index(name)).statistics for i in range(footer.num_row_groups)]
    stated = [(found.min, found.max) if found and found.has_min_max else (None, None) for found in groups]
    return [end for ends in stated for end in ends]
