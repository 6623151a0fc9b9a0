"""Accuracy, AUROC and AURC of every arm and replicate, for figures of several arms."""

from pathlib import Path

import pandas as pd
import pyarrow as pa

from selfdoubt.figures.texts import NothingToShow, listed
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


def aurc(table: pd.DataFrame, settings) -> pd.DataFrame:
    """Return arm, replicate, n and value, the AURC x10^3, of each arm and replicate that has one.

    table: rows of the metrics table, any splits and scores. Raises NothingToShow if none has.
    """
    found = values_of(table, settings, "aurc", settings.score)
    if found.empty:
        raise NothingToShow(f"no arm has an AURC on {settings.dataset}, split {settings.split}, score {settings.score}")
    return found.assign(value=1000 * found["value"])


def values_of(table: pd.DataFrame, settings, metric: str, score: str) -> pd.DataFrame:
    """Return arm, replicate, n and value of a metric, of each arm and replicate that has one."""
    rows = _shown(table, settings)
    found = rows[(rows["metric"] == metric) & (rows["score"] == score)].dropna(subset=["value"])
    return found[["arm", "replicate", "n", "value"]]


def of_arm(points: pd.DataFrame, arm: str) -> pd.DataFrame:
    """Return an arm's points, a row a replicate."""
    return points[points["arm"] == arm].set_index("replicate")


def with_means(points: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Return points with one more of each arm of several replicates: "mean", the mean of the columns."""
    means = points.groupby("arm", as_index=False, sort=False)[columns].mean()
    several = points.groupby("arm")["replicate"].transform("size") > 1
    means = means[means["arm"].isin(points.loc[several, "arm"])].assign(replicate="mean")
    return pd.concat([points.assign(replicate=points["replicate"].astype(str)), means]) if len(means) else points


def paired(*sides: pd.DataFrame) -> list[pd.DataFrame]:
    """Return the points of several arms of the replicates that all have, in the same order.

    sides: a row a replicate. An arm of one replicate alone stands against each of the others'.
    """
    replicates = max(sides, key=len).index
    sides = [pd.concat([side] * len(replicates)).set_axis(replicates) if len(side) == 1 else side for side in sides]
    common = [replicate for replicate in replicates if all(replicate in side.index for side in sides)]
    return [side.loc[common] for side in sides]


def with_arms(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of models and variants with a column `arm`: MODEL, MODEL/VARIANT or GROUP/PROTOCOL."""
    clean = table["variant"] == "clean"
    return table.assign(arm=table["name"].where(clean, table["name"] + "/" + table["variant"]))


def _shown(table: pd.DataFrame, settings) -> pd.DataFrame:
    """Return the rows of the figure's data set and split, with their arm."""
    return with_arms(table[(table["dataset"] == settings.dataset) & (table["split"] == settings.split)])


def accuracy_and_auroc(table: pd.DataFrame, settings) -> pd.DataFrame:
    """Return arm, replicate, accuracy, auroc (percent) and n, for each arm and replicate that has both.

    table: rows of the metrics table, any splits and scores. Raises NothingToShow if no arm has both.
    """
    rows = _shown(table, settings)
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
