"""Accuracy and AUROC of every arm and replicate, for figures of both."""

from pathlib import Path

import pandas as pd
import pyarrow as pa

from selfdoubt.figures.nothing import NothingToShow
from selfdoubt.figures.texts import listed
from selfdoubt.runtime import table_files
from selfdoubt.runtime.schemas.metrics import METRICS_SCHEMA


def read_metrics(paths: list[Path]) -> pd.DataFrame:
    """Return the rows of several tables of metrics as one."""
    tables = [table_files.read_table(path, METRICS_SCHEMA) for path in paths]
    return pa.concat_tables(table.replace_schema_metadata() for table in tables).to_pandas()


def _reasons(table: pd.DataFrame, settings) -> str:
    """Return why there is no AUROC, in brackets."""
    rows = table[(table["dataset"] == settings.dataset) & (table["split"] == settings.split)]
    rows = rows[(rows["metric"] == "auroc") & (rows["score"] == settings.score)]
    found = list(dict.fromkeys(rows["reason"].dropna()))
    return f" ({listed(found)})" if found else ""


def accuracy_and_auroc(table: pd.DataFrame, settings) -> pd.DataFrame:
    """Return arm, replicate, accuracy, auroc (percent) and n, for each arm and replicate that has both.

    table: rows of the metrics table, any splits and scores. Raises NothingToShow if no arm has both.
    """
    rows = table[(table["dataset"] == settings.dataset) & (table["split"] == settings.split)]
    rows = rows.assign(arm=rows["name"].where(rows["variant"] == "clean", rows["name"] + "/" + rows["variant"]))
    accuracy = rows[rows["metric"] == "accuracy"].rename(columns={"value": "accuracy"})
    auroc = rows[(rows["metric"] == "auroc") & (rows["score"] == settings.score)].rename(columns={"value": "auroc"})
    both = accuracy[["arm", "replicate", "n", "accuracy"]].merge(
        auroc[["arm", "replicate", "auroc"]], on=["arm", "replicate"]
    )
    both[["accuracy", "auroc"]] *= 100
    both = both.dropna(subset=["accuracy", "auroc"])
    if both.empty:
        place = f"{settings.dataset}, split {settings.split}, score {settings.score}"
        raise NothingToShow(f"no arm has both accuracy and AUROC on {place}{_reasons(table, settings)}")
    return both
