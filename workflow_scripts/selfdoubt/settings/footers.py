"""What the footers of Parquet files state of their tables, without reading a row: for memory that jobs request."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from selfdoubt.settings.table_columns import LABELS

ROWS_A_CLASS = 10  # of fewer for each of a range of integers, those are names of classes, not their numbers


def n_rows(paths: Iterable[Path]) -> int:
    """Return how many rows the tables have together; raises OSError if one cannot be read as Parquet."""
    return sum(footer.num_rows for footer in map(_footer, paths))


def n_classes(paths: Iterable[Path]) -> int | None:
    """Return how many integers lie between the least and the largest label of the tables.

    None: labels are of another type, not stated, or so far apart that they are names, such as 5 and 101001. Raises
    OSError if a file cannot be read as Parquet.
    """
    footers = [_footer(path) for path in paths]
    ends = [end for footer in footers for end in _label_ends(footer)]
    if not ends or None in ends:
        return None
    n = max(ends) - min(ends) + 1
    return n if n * ROWS_A_CLASS <= sum(footer.num_rows for footer in footers) else None


@cache
def _footer(path: Path):
    import pyarrow.parquet as pq  # a third of a second, which studies of other sources do without

    try:
        return pq.read_metadata(path)
    except Exception as error:  # which ones Arrow raises is not documented
        raise OSError(f"{path}: {error}") from None


def _label_ends(footer) -> list[int | None]:
    """Return the least and the largest label of each group of rows; None where one does not state integers."""
    columns = [footer.schema.column(i) for i in range(footer.num_columns)]
    place = next((i for name in LABELS for i, column in enumerate(columns) if column.path == name), None)
    if place is None or columns[place].physical_type not in ("INT32", "INT64"):
        return [None]
    if columns[place].logical_type.type not in ("INT", "NONE"):  # dates and times, say
        return [None]
    groups = [footer.row_group(i).column(place).statistics for i in range(footer.num_row_groups)]
    stated = [(found.min, found.max) if found and found.has_min_max else (None, None) for found in groups]
    return [end for ends in stated for end in ends]
