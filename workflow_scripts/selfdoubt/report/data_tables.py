"""Tables of data sets: images, and the quality of their masks."""

import pandas as pd

from selfdoubt.figures.texts import counted
from selfdoubt.report.formats import number
from selfdoubt.report.tables import Cell, Table, number_cell

_OF_SOURCE = {"ignored files": "{files} ignored, {note}", "configurations": "{count} configurations {note}"}


def mask_table(segmenter: str, qualities: list[pd.DataFrame]) -> Table | None:
    """Return one segmenter's mask quality, a column for each stage; qualities: of each of its replicates."""
    quality = pd.concat(qualities)
    if quality.empty:
        return None
    stages = list(dict.fromkeys(quality["stage"]))
    table = Table(f"Mask quality of {segmenter}, before and after its training", stages, "statistic")
    table.caption += f": mean of {counted(len(qualities), 'replicate')}." if len(qualities) > 1 else "."
    for row in quality.dropna(subset="warning").drop_duplicates(["stage", "warning"]).to_dict("records"):
        table.caption += f" Warning, {row['stage']}: {row['warning']}."
    for statistic in dict.fromkeys(quality["statistic"]):
        rows = quality[quality["statistic"] == statistic]
        digits = 0 if len(qualities) == 1 and (rows["value"].dropna() % 1 == 0).all() else 4
        cells = [_quality_cell(rows[rows["stage"] == stage], digits) for stage in stages]
        table.rows.append((statistic.replace("-", " ").replace("iou", "IoU"), cells))
    return table


def _quality_cell(rows: pd.DataFrame, digits: int) -> Cell:
    """Return the mean of a statistic over replicates, with the number of all images behind it."""
    if rows.empty:
        return Cell("")
    if rows["value"].isna().all():
        return Cell("–", next((reason for reason in rows["reason"] if isinstance(reason, str)), "no reason given"))
    n = "" if rows["n"].isna().any() else f"n = {int(rows['n'].sum()):,}"
    return number_cell(rows["value"].mean(), digits, spread=n)


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
            table.rows.append((name, [number_cell(found[s], 0) if s in found else Cell("") for s in splits]))
        if statistic == "images":
            for name, smallest in (("classes", of_classes.count()), ("smallest class", of_classes.min())):
                table.rows.append((name, [number_cell(smallest[split], 0) for split in splits]))
    table.caption = f"Images of {dataset}. Conversions are counted before val and test are split from train."
    for row in whole[whole["statistic"].isin(_OF_SOURCE)].to_dict("records"):
        table.caption += f" {_OF_SOURCE[row['statistic']].format(files=counted(row['count'], 'file'), **row)}."
    if own := settings["datasets"][dataset].get("train_images_per_replicate"):
        drawn = settings["datasets"][dataset].get("overlapping_draws")
        others = "drawn from all of train for each" if drawn else "which are in no other"
        table.caption += f" Each replicate trains on {number(own, 0)} of them, {others}."
    entries = {name: (settings.get("ood_sets") or {}).get(name) or {} for name in settings["datasets"][dataset]["ood"]}
    for name, entry in entries.items():
        if entry.get("overlap"):
            table.caption += f" In common with {name}: {entry['overlap']}"
    return table
