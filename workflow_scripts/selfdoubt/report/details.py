"""The smaller tables: comparisons, mask quality, costs, and the numbers that do not exist."""

import pandas as pd

from selfdoubt.report.formats import NO_BREAK, counted, difference, listed, metric_of, number, p_value
from selfdoubt.report.tables import Cell, Table


def comparison_table(comparisons: pd.DataFrame, hypotheses: pd.DataFrame, study: str) -> Table | None:
    """Return the exploratory comparisons of one study: those that are not among its hypotheses."""
    rows = comparisons[comparisons["study"] == study]
    identity = ["dataset", "study", "better", "than", "metric", "score", "split"]
    rows = rows[~rows.set_index(identity).index.isin(hypotheses.set_index(identity).index)]
    if rows.empty:
        return None
    several = rows["dataset"].nunique() > 1
    headings = ["metric", "unit", "score", "split", "difference", "95 % interval", "effect", "p", "Holm p"]
    replicates = sorted({number(n, 0) for n in rows["n_replicates"]})
    headings += ["replicates"] * (len(replicates) > 1)  # the table is wide enough without a column that says one thing
    table = Table("", ["dataset", *headings] if several else headings, "arm less reference", n_words=4 + several)
    for row in rows.to_dict("records"):
        metric = metric_of(row["metric"])
        low, high = difference(row["low"], metric), difference(row["high"], metric)
        texts = [
            f"{metric.label}{NO_BREAK}{metric.arrow}",
            metric.short_unit,
            row["score"] if row["score"] != "none" else "",
            row["split"],
            difference(row["difference"], metric),
            f"{low} to {high}" if not pd.isna(row["low"]) else "–",
            number(row["effect_size"], 2, sign=True),
            *(p_value(row[key]).removeprefix(f"={NO_BREAK}") for key in ("p", "p_holm")),
            *([number(row["n_replicates"], 0)] if len(replicates) > 1 else []),
        ]
        cells = [Cell(text) for text in ([row["dataset"], *texts] if several else texts)]
        table.rows.append((f"{row['better']} − {row['than']}", cells))
    table.caption = (
        "Not registered beforehand, so they suggest and prove nothing. "
        "Paired by replicate; 95 % interval and p by t, of what replicates and test images add to the variance (of one "
        "replicate by bootstrap over images); effect: mean over standard deviation of the replicates' differences; "
        f"Holm's correction within the study.{f' Replicates: {replicates[0]}.' if len(replicates) == 1 else ''}"
    )
    return table


def mask_table(segmenter: str, quality: pd.DataFrame) -> Table | None:
    """Return one segmenter's mask quality, a column for each stage."""
    if quality.empty:
        return None
    stages = list(dict.fromkeys(quality["stage"]))
    table = Table(f"Mask quality of {segmenter}, before and after training it.", stages, "statistic")
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
        if statistic != "ignored files":
            name = statistic if pd.isna(note) else f"{statistic} {note}"
            table.rows.append((name, [Cell(number(found[s], 0) if s in found else "") for s in splits]))
        if statistic == "images":
            for name, smallest in (("classes", of_classes.count()), ("smallest class", of_classes.min())):
                table.rows.append((name, [Cell(number(smallest[split], 0)) for split in splits]))
    table.caption = f"Images of {dataset}. Conversions are counted before val and test are drawn from train."
    for row in whole[whole["statistic"] == "ignored files"].to_dict("records"):
        table.caption += f" {counted(row['count'], 'file')} left aside as no images: {row['note']}."
    entries = {name: (settings.get("ood_sets") or {}).get(name) or {} for name in settings["datasets"][dataset]["ood"]}
    for name, entry in entries.items():
        if entry.get("overlap"):
            table.caption += f" In common with {name}: {entry['overlap']}"
    return table


def cost_table(costs: pd.DataFrame) -> Table | None:
    """Return what each rule took: jobs, seconds, processor seconds, peak memory."""
    if costs.empty:
        return None
    headings = ["jobs", "total s", "mean s", "CPU s", "peak memory MB"]
    table = Table("", headings, "rule")
    for rule, rows in costs.groupby("rule", sort=False):
        table.rows.append((rule, _cost_cells(rows)))
    table.rows.append(("all", _cost_cells(costs)))
    table.caption = (
        f"Cost of {counted(len(costs), 'job')}: wall-clock and processor seconds, and the largest job's memory. "
        "Snakemake looks at a job each half second, and after a quarter of a minute each half minute: processor "
        "seconds after its last look are missing, and a short peak of memory may be."
    )
    return table


def _cost_cells(rows: pd.DataFrame) -> list[Cell]:
    seconds, cpu = rows["seconds"], rows["cpu_seconds"]
    numbers = [(len(rows), 0), (seconds.sum(), 1), (seconds.mean(), 2), (cpu.sum(min_count=1), 1)]
    return [Cell(number(*pair)) for pair in [*numbers, (rows["max_rss_mb"].max(), 0)]]


def missing_table(metrics: pd.DataFrame) -> Table | None:
    """Return the numbers that do not exist, one row for each arm, split and reason."""
    rows = metrics[metrics["value"].isna()]
    if rows.empty:
        return None
    rows = rows.assign(reason=rows["reason"].fillna("no reason given"))
    table = Table(
        f"{counted(len(rows), 'number')} of {len(metrics):,} {'does' if len(rows) == 1 else 'do'} not exist.",
        ["split", "metrics", "scores", "replicates", "reason"],
        "arm",
        n_words=5,
        wraps=True,
    )
    for (dataset, arm, split, reason), part in rows.groupby(["dataset", "arm", "split", "reason"], sort=False):
        scores = [score for score in dict.fromkeys(part["score"]) if score != "none"]
        texts = [split, listed(list(dict.fromkeys(part["metric"]))), listed(scores) if scores else ""]
        replicates = listed([str(replicate) for replicate in sorted(part["replicate"].unique())])
        name = arm if metrics["dataset"].nunique() == 1 else f"{dataset}: {arm}"
        table.rows.append((name, [Cell(text) for text in [*texts, replicates, reason]]))
    return table
