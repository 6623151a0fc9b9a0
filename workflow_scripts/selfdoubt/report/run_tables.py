"""Tables of the run itself: what it cost, and which numbers do not exist."""

import pandas as pd

from selfdoubt.figures.texts import counted, listed
from selfdoubt.report.arms import BY_NAME, Arms
from selfdoubt.report.tables import Cell, Table, number_cell

_TRAINING = ("train_teacher", "train_baseline", "train_augmented", "train_robust", "distill_student")


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
        "Snakemake samples a job every half second, and after 15 seconds every half minute: processor seconds after "
        "the last sample are missing, and a short peak of memory may be missed."
    )
    return table


def training_cost_table(costs: pd.DataFrame, names: Arms = BY_NAME) -> Table | None:
    """Return what the training of each model took, of its own job alone: medians over replicates, by data set."""
    rows = costs[costs["rule"].isin(_TRAINING)].dropna(subset="cpu_seconds")
    if rows.empty:
        return None
    jobs = rows["job"].str.split("/")
    rows = rows.assign(dataset=jobs.str[0], model=jobs.str[1])
    several = rows["dataset"].nunique() > 1
    table = Table("", ["replicates", "CPU s", "× the least", "s"], "model")
    for dataset, of_dataset in rows.groupby("dataset", sort=False):
        medians = of_dataset.groupby("model", sort=False)[["cpu_seconds", "seconds"]].median()
        counts, least = of_dataset["model"].value_counts(), medians["cpu_seconds"].min()
        for model, (cpu, seconds) in medians.sort_values("cpu_seconds").iterrows():
            numbers = [(counts[model], 0), (cpu, 1), (cpu / least, 2) if least else (None, 2), (seconds, 1)]
            name = names.marked(model)
            table.rows.append((f"{dataset}: {name}" if several else name, [number_cell(*each) for each in numbers]))
    table.caption = (
        "Cost of training each model: the median job, beside whatever else ran. Second passes, doubled batches and "
        "teachers that run along are in it; teachers' own training, stored soft labels and segmenters are not."
    )
    return table


def _cost_cells(rows: pd.DataFrame) -> list[Cell]:
    seconds, cpu = rows["seconds"], rows["cpu_seconds"]
    numbers = [(len(rows), 0), (seconds.sum(), 1), (seconds.mean(), 2), (cpu.sum(min_count=1), 1)]
    return [number_cell(*pair) for pair in [*numbers, (rows["max_rss_mb"].max(), 0)]]


def missing_table(metrics: pd.DataFrame, names: Arms = BY_NAME) -> Table | None:
    """Return the numbers that do not exist, one row for each arm, reason and what it concerns, splits together."""
    rows = metrics[metrics["value"].isna()]
    if rows.empty:
        return None
    rows = rows.assign(reason=rows["reason"].fillna("no reason given"))
    table = Table(
        f"{len(rows):,} of {counted(len(metrics), 'number')} {'is' if len(rows) == 1 else 'are'} undefined.",
        ["splits", "metrics", "scores", "replicates", "reason"],
        "arm",
        n_words=5,
        wraps=True,
    )
    splits: dict[tuple, list[str]] = {}
    for (dataset, arm, split, reason), part in rows.groupby(["dataset", "arm", "split", "reason"], sort=False):
        scores = [score for score in dict.fromkeys(part["score"]) if score != "none"]
        replicates = listed([str(replicate) for replicate in sorted(part["replicate"].unique())])
        texts = listed(list(dict.fromkeys(part["metric"]))), listed(scores) if scores else "", replicates, reason
        splits.setdefault((dataset, arm, *texts), []).append(split)
    for (dataset, arm, *texts), found in splits.items():
        name = names.marked(arm) if metrics["dataset"].nunique() == 1 else f"{dataset}: {names.marked(arm)}"
        table.rows.append((name, [Cell(text) for text in [listed(found), *texts]]))
    return table
