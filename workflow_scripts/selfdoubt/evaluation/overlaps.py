"""The expected fraction of training images that two replicates share, where each draws from the whole training set."""

from pathlib import Path

from selfdoubt.runtime import table_files
from selfdoubt.runtime.schemas.counts import COUNTS_SCHEMA


def overlap(path: str | Path, n_drawn: int) -> float:
    """Return that fraction; path: the table of counts of the data set; n_drawn: training images of each replicate."""
    rows = table_files.read_table(path, COUNTS_SCHEMA).to_pylist()
    [n] = [row["count"] for row in rows if (row["split"], row["statistic"], row["label"]) == ("train", "images", None)]
    return n_drawn / n
