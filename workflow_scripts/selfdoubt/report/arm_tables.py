"""Tables of metrics by arm.

A cell is the mean over replicates with the standard deviation; a number that does not exist for some replicate is
marked and its reason stands under the table, never silently dropped.
"""

from collections.abc import Sequence

import numpy as np

from selfdoubt.figures.texts import NO_BREAK, counted, listed
from selfdoubt.report.arms import BY_NAME, Arms
from selfdoubt.report.formats import mean_sd, metric_of
from selfdoubt.report.numbers import Column, Numbers, Value, averaged_by_severity, find, key_of
from selfdoubt.report.tables import Cell, Table


def main_columns(settings: dict, dataset: str, score: str = "msp") -> list[Column]:
    """Return the columns of the tables that compare arms on the test split."""
    entry = settings["datasets"].get(dataset) or {}
    ood, shifted = entry.get("ood") or [], entry.get("shifted") or []
    return [
        Column("accuracy"),
        *(Column(metric, score) for metric in ("auroc", "aurc", "e-aurc", "augrc", "ece", "nll", "brier")),
        Column("coverage-at-sac-99", score),
        *(Column("accuracy", split=f"shifted-{name}", label=f"accuracy {name}{NO_BREAK}↑") for name in shifted),
        *(Column("ood-auroc", score, f"ood-{name}", f"OOD AUROC {name}{NO_BREAK}↑") for name in ood),
    ]


def failure_columns(settings: dict, dataset: str, score: str = "msp") -> list[Column]:
    """Return the columns of failure detection: on test, and with the images of each OOD set as failures."""
    asked, percents = settings["evaluation"]["metrics"], settings["evaluation"]["ood_mixed_percent"]
    if not (of_ood := [metric for metric in asked if metric.startswith("failure-")]):
        return []
    names = [f"ood-{name}" for name in (settings["datasets"].get(dataset) or {}).get("ood") or []]
    splits = [split for name in names for split in (name, *(f"{name}@{percent:g}" for percent in percents))]
    on_test = [Column(metric, score, group="test") for metric in ("auroc", "fpr95") if metric in asked]
    with_ood = [Column(metric, score, split, group=split) for split in splits for metric in of_ood]
    return on_test + with_ood if splits else []


def score_columns(settings: dict, metric: str) -> list[Column]:
    """Return a column for each confidence score."""
    return [Column(metric, score, label=score) for score in settings["evaluation"]["scores"]]


def numbers_table(
    numbers: Numbers,
    dataset: str,
    arms: Sequence[str],
    columns: Sequence[Column],
    what: str,
    best_of: str = "column",
    names: Arms = BY_NAME,
) -> Table:
    """Return a table with a row for each arm that has any of the columns, in the order of `arms`; no column is empty.

    what: begins the caption. best_of: "column" or "row", of which the best is bold; an upper bound never is.
    """
    found = {arm: [find(numbers, dataset, arm, column) for column in columns] for arm in arms}
    found = {arm: parts for arm, parts in found.items() if any(parts)}
    columns, found = _without_empty(columns, found)
    used = [value for parts in found.values() for part in parts for value in part]
    n_replicates = len({value.replicate for value in used})
    table = Table(f"{what}. {_extent(used, n_replicates)} Bold: best mean of the {best_of}.", [], "arm")
    table.headings, table.groups = [column.heading for column in columns], _groups(columns)
    letters: dict[str, str] = {}
    for arm, parts in found.items():
        cells = [_cell(part, column, n_replicates, letters) for part, column in zip(parts, columns, strict=True)]
        for cell, column in zip(cells, columns, strict=True):
            cell.key = key_of(numbers, dataset, arm, column)
        table.rows.append((arm, cells))
    _mark_best([cells for arm, cells in table.rows if arm not in names.upper_bounds], columns, best_of)
    table.rows = [(names.marked(arm), cells) for arm, cells in table.rows]
    table.caption += names.note(found)
    table.notes = [(letter, text) for text, letter in letters.items()]
    return table


def corruption_table(
    numbers: Numbers, dataset: str, arms: Sequence[str], settings: dict, names: Arms = BY_NAME
) -> Table | None:
    """Return accuracy, AUROC and ECE by severity, averaged over corruptions within each replicate."""
    corruptions = (settings["datasets"].get(dataset) or {}).get("corruptions")
    if not corruptions:
        return None
    kinds, severities = corruptions["names"], corruptions["severities"]
    averaged = averaged_by_severity(numbers, dataset, kinds, severities)
    columns = [
        Column(metric, "msp", f"severity-{severity}", str(severity), metric_of(metric).heading, 3)
        for metric in ("accuracy", "auroc", "ece")
        for severity in severities
    ]
    what = f"Corrupted test images of {dataset}: mean over {listed(kinds)}, by severity"
    return numbers_table(averaged, dataset, arms, columns, what, names=names)


def _without_empty(columns: Sequence[Column], found: dict[str, list]) -> tuple[list[Column], dict[str, list]]:
    """Return the columns, and each arm's values of them, that some arm has: others were not asked for."""
    kept = [i for i in range(len(columns)) if any(parts[i] for parts in found.values())]
    return [columns[i] for i in kept], {arm: [parts[i] for i in kept] for arm, parts in found.items()}


def _cell(values: list[Value], column: Column, n_replicates: int, letters: dict[str, str]) -> Cell:
    """Return the mean over the replicates that have a value; a lettered note names those that have none, and why."""
    if not values:
        return Cell("")
    notes = []
    for reason in dict.fromkeys(value.reason for value in values if value.value is None):
        replicates = [str(value.replicate) for value in values if value.value is None and value.reason == reason]
        notes.append(f"no value for replicate{'s' * (len(replicates) > 1)} {listed(replicates)}: {reason}")
    if len(values) < n_replicates:
        notes.append(f"{len(values)} of {counted(n_replicates, 'replicate')} measured")
    for note in notes:
        letters.setdefault(note, _letter(len(letters)))
    marks = ",".join(letters[note] for note in notes)
    whole = [value.value for value in values if value.value is not None]
    if not whole:
        return Cell("–", marks=marks)
    found = metric_of(column.metric)
    texts, scaled = mean_sd(whole, found, column.digits), found.scale * np.array(whole)
    spread = float(scaled.std(ddof=1)) if len(whole) > 1 else None
    return Cell(*texts, marks, value=sum(whole) / len(whole), exact=float(scaled.mean()), exact_spread=spread)


def _letter(i: int) -> str:
    return chr(ord("a") + i) if i < 26 else _letter(i // 26 - 1) + _letter(i % 26)


def _mark_best(rows: list[list[Cell]], columns: Sequence[Column], best_of: str) -> None:
    arrows = [metric_of(column.metric).arrow for column in columns]
    lines = rows if best_of == "row" else [list(line) for line in zip(*rows, strict=True)]
    for i, line in enumerate(lines):
        arrow = arrows[0] if best_of == "row" else arrows[i]
        values = [cell.value for cell in line if cell.value is not None]
        if len(values) < 2:
            continue
        best = max(values) if arrow == "↑" else min(values)
        for cell in line:
            cell.best = cell.value == best


def _extent(values: Sequence[Value], n_replicates: int) -> str:
    """Return how many images and replicates stand behind the numbers."""
    sizes = sorted({value.n for value in values}) or [0]
    images = f"n = {sizes[0]:,}" if len(sizes) == 1 else f"n = {sizes[0]:,} to {sizes[-1]:,}"
    spread = f"mean ± standard deviation over {n_replicates} replicates" if n_replicates > 1 else "one replicate"
    return f"{images} images; {spread}."


def _groups(columns: Sequence[Column]) -> list[tuple[str, int]]:
    groups: list[tuple[str, int]] = []
    for column in columns:
        if groups and groups[-1][0] == column.group:
            groups[-1] = (column.group, groups[-1][1] + 1)
        else:
            groups.append((column.group, 1))
    return groups if any(text for text, _ in groups) else []
