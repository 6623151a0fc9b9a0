"""Tables of gaps to a perfect ordering, and what they come from."""

from collections.abc import Sequence

import pandas as pd

from selfdoubt.figures.texts import NO_BREAK
from selfdoubt.report.arms import BY_NAME, Arms
from selfdoubt.report.formats import number
from selfdoubt.report.tables import Cell, Table

_COLUMNS = {  # part -> heading
    "gap": f"gap{NO_BREAK}↓",
    "noise": "noise of labels",
    "approximation": "approximation",
    "ranking": "ranking",
    "rest": "rest",
    "rest-deviation": "sd of rest",
    "mended-by-temperature": "temperature",
    "mended-by-logits": "logits",
}
_OVER = [("", 1), ("parts", 5), ("of it mended by", 2)]
SCORE = "msp"


def gap_tables(gaps: pd.DataFrame, arms: Sequence[str], names: Arms = BY_NAME) -> list[Table]:
    """Return a table for each data set with a row for each arm that has rows, in the order of `arms`.

    gaps: GAPS. Means over replicates, times 1000, and gaps at single coverages in points.
    """
    if gaps.empty:
        return []
    rows = gaps[gaps["score"] == SCORE]
    rows = rows.assign(arm=rows["name"].where(rows["variant"] == "clean", rows["name"] + "/" + rows["variant"]))
    tables = (_table(dataset, own[own["arm"].isin(arms)], arms, names) for dataset, own in rows.groupby("dataset"))
    return [table for table in tables if table.rows]


def _table(dataset: str, rows: pd.DataFrame, arms: Sequence[str], names: Arms) -> Table:
    coverages = sorted(rows["coverage_percent"].dropna().unique())
    table = Table(_caption(dataset, rows), [*_COLUMNS.values(), *(f"{c:g}{NO_BREAK}%" for c in coverages)], "arm")
    table.groups = [*_OVER, ("gap at coverage, points", len(coverages))] if coverages else _OVER
    notes: dict[str, str] = {}
    for arm in dict.fromkeys(arms):
        own = rows[rows["arm"] == arm]
        if own.empty:
            continue
        mean = own[own["coverage_percent"].isna()]
        cells = [_cell(mean[mean["part"] == part], 1000, notes) for part in _COLUMNS]
        gap = own[own["part"] == "gap"]
        cells += [_cell(gap[gap["coverage_percent"] == coverage], 100, notes) for coverage in coverages]
        table.rows.append((names.marked(arm), cells))
    table.notes = [(letter, reason) for reason, letter in notes.items()]
    table.caption += names.note(arms)
    return table


def _cell(rows: pd.DataFrame, scale: float, notes: dict[str, str]) -> Cell:
    """Return mean and standard deviation over replicates; a lettered note says why a value is not there."""
    marks = [notes.setdefault(reason, chr(ord("a") + len(notes) % 26)) for reason in rows["reason"].dropna().unique()]
    values = scale * rows["value"].dropna()
    if values.empty:
        return Cell("–", marks=",".join(marks))
    spread = f"±{NO_BREAK}{number(values.std(), 2)}" if len(values) > 1 else ""
    return Cell(number(values.mean(), 2), spread, ",".join(marks))


def _caption(dataset: str, rows: pd.DataFrame) -> str:
    n, replicates = int(rows["n"].max()) if len(rows) else 0, rows["replicate"].nunique()
    spread = f"mean ± standard deviation over {replicates} replicates" if replicates > 1 else "one replicate"
    return (
        f"Gaps to a perfect ordering of the same predictions on {dataset}, test (n = {n:,} images), by {SCORE}, times "
        f"10³, as means over all coverages (the gap is the e-AURC); {spread}. Parts add up to the gap. Noise of "
        "labels: of the Bayes classifier of people's labels in its best order. Approximation: what the arm's "
        "predictions add to it in theirs. Ranking: what the score loses against that order. Rest: the labels of the "
        "data set against those of people, and its standard deviation if they were drawn from these. Mended: what another "
        "order of the same images gains: msp at the temperature of val, or a model of correctness on logits that was fitted on val."
    )
