"""The table of exploratory comparisons."""

import pandas as pd

from selfdoubt.figures.texts import NO_BREAK
from selfdoubt.report.arms import BY_NAME, Arms
from selfdoubt.report.effects import Track, margin_of, tracks_of
from selfdoubt.report.formats import difference, metric_of, number
from selfdoubt.report.numbers import Numbers
from selfdoubt.report.tables import Cell, Table, number_cell, p_cell

_IDENTITY = ["dataset", "study", "better", "than", "metric", "score", "split"]
_REVERSED = {"better": "than", "than": "better"}

_METHOD = (
    "Differences are paired by replicate; 95 % interval and p from a t distribution, with the variance of replicates "
    "and of test images; effect: mean divided by standard deviation of the replicates' differences;"
)
_METHOD_OF_ONE = (
    "Differences of one replicate; 95 % interval and p from a t distribution, with the variance of test images;"
)


def exploratory(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the comparisons that are in no claim, nor equal to one that is or to its reverse; rows: COMPARISONS."""
    claimed = rows[rows["hypothesis"].notna()]
    known = pd.concat([claimed, claimed.rename(columns=_REVERSED)]).set_index(_IDENTITY).index
    return rows[rows["hypothesis"].isna() & ~rows.set_index(_IDENTITY).index.isin(known)]


def comparison_table(comparisons: pd.DataFrame, study: str, numbers: Numbers, names: Arms = BY_NAME) -> Table | None:
    """Return the exploratory comparisons of one study, those that are not parts of its claims, by margin."""
    rows = exploratory(comparisons[comparisons["study"] == study])
    if rows.empty:
        return None
    several = rows["dataset"].nunique() > 1
    headings = ["metric", "unit", "score", "split", "difference", "95 % interval", "effect", "p", "Holm p"]
    replicates = sorted({number(n, 0) for n in rows["n_replicates"]})
    headings += ["replicates"] * (len(replicates) > 1)  # the table is wide enough without a column of one value
    table = Table("", ["dataset", *headings] if several else headings, "arm − reference", n_words=4 + several)
    records = rows.to_dict("records")
    tracks = tracks_of([(row, margin_of(row, None, numbers, {})) for row in records])
    for row, track in zip(records, tracks, strict=True):
        cells = [*([Cell(row["dataset"])] if several else []), *_cells(row, track)]
        cells += [number_cell(row["n_replicates"], 0)] if len(replicates) > 1 else []
        table.rows.append((f"{names.label(row['better'])} − {names.label(row['than'])}", cells))
    method = _METHOD_OF_ONE if replicates == ["1"] else _METHOD
    table.caption = (
        f"Not pre-registered: they suggest hypotheses and confirm none. {method}"
        " Holm's correction within the study. Below an interval it is drawn in units of its margin, the smallest "
        "difference of interest, which is shaded; to the right the arm is better."
        f"{f' Replicates: {replicates[0]}.' if len(replicates) == 1 else ''}"
    )
    return table


def _cells(row: dict, track: Track | None) -> list[Cell]:
    """Return what is compared, difference, interval, effect size and p."""
    metric = metric_of(row["metric"])
    score = row["score"] if row["score"] != "none" else ""
    words = [f"{metric.label}{NO_BREAK}{metric.arrow}", metric.short_unit, score, row["split"]]
    size, low, high = (
        None if pd.isna(row[key]) else metric.difference_scale * row[key] for key in ("difference", "low", "high")
    )
    interval = "–" if low is None else f"{difference(row['low'], metric)} to {difference(row['high'], metric)}"
    return [
        *map(Cell, words),
        Cell(difference(row["difference"], metric), exact=size),
        Cell(interval, exact=low, exact_high=high, track=track),
        number_cell(row["effect_size"], 2, sign=True),
        p_cell(row["p"]),
        p_cell(row["p_holm"]),
    ]
