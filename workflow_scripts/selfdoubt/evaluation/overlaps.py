"""How many of a replicate's training images another replicate has too, where each draws from all of them."""

from pathlib import Path

from selfdoubt.runtime import table_files
from selfdoubt.runtime.schemas.counts import COUNTS_SCHEMA


def overlap(path: str | Path, n_drawn: int) -> float:
    """Return that fraction; path: of the counts of a data set, of whose training images n_drawn are drawn."""
    rows = table_files.read_table(path, COUNTS_SCHEMA).to_pylist()
    [n] = [row["count"] for row in rows if (row["split"], row["statistic"], row["label"]) == ("train", "images", None)]
    return n_drawn / n
