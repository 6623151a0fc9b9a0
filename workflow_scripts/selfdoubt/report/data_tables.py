"""Tables of data sets: images, and the quality of their masks."""

import pandas as pd

from selfdoubt.figures.texts import counted
from selfdoubt.report.formats import number
from selfdoubt.report.tables import Cell, Table

_OF_SOURCE = {"ignored files": "{files} ignored, {note}", "configurations": "{count} configurations {note}"}


def mask_table(segmenter: str, quality: pd.DataFrame) -> Table | None:
    """Return one segmenter's mask quality, a column for each stage."""
    if quality.empty:
        return None
    stages = list(dict.fromkeys(quality["stage"]))
    table = Table(f"Mask quality of {segmenter}, before and after its training.", stages, "statistic")
    for row in quality.dropna(subset="warning").to_dict("records"):
        table.caption += f" Warning, {row['stage']}: {row['warning']}."
    for statistic in dict.fromkeys(quality["statistic"]):
        rows = quality[quality["statistic"] == statistic].set_index("stage")
        digits = 0 if (rows["value"].dropna() % 1 == 0).all() else 4
        cells = [_quality_cell(rows.loc[stage], digits) if stage in rows.index else Cell("") for stage in stages]
        table.rows.append((statistic.replace("-", " ").replace("iou", "IoU"), cells))
    return table


def _quality_cell(row: pd.Series, digits: int) -> Cell:
    n = "" if pd.isna(row["n"]) else f"n = {int(row['n']):,}"
    if pd.isna(row["value"]):
        return Cell("–", row["reason"] if isinstance(row["reason"], str) else "no reason given")
    return Cell(number(row["value"], digits), n)


def counts_table(dataset: str, counts: pd.DataFrame, settings: dict) -> Table | None:
    """Return what one data set is made of: images, classes, duplicates and conversions, a column for each split."""
    if counts.empty:
        return None
    splits = ["train", "val", "test"]
    table = Table("", splits, "")
    of_classes = counts[counts["label"].notna()].groupby("split")["count"]
    whole = counts[counts["label"].isna()]
    for (statistic, note), rows in whole.groupby(["statistic", "note"], sort=False, dropna=False):
        found = rows.set_index("split")["count"]
        if statistic not in _OF_SOURCE:
            name = statistic if pd.isna(note) else f"{statistic} {note}"
            table.rows.append((name, [Cell(number(found[s], 0) if s in found else "") for s in splits]))
        if statistic == "images":
            for name, smallest in (("classes", of_classes.count()), ("smallest class", of_classes.min())):
                table.rows.append((name, [Cell(number(smallest[split], 0)) for split in splits]))
    table.caption = f"Images of {dataset}. Conversions are counted before val and test are split from train."
    for row in whole[whole["statistic"].isin(_OF_SOURCE)].to_dict("records"):
        table.caption += f" {_OF_SOURCE[row['statistic']].format(files=counted(row['count'], 'file'), **row)}."
    entries = {name: (settings.get("ood_sets") or {}).get(name) or {} for name in settings["datasets"][dataset]["ood"]}
    for name, entry in entries.items():
        if entry.get("overlap"):
            table.caption += f" In common with {name}: {entry['overlap']}"
    return table
