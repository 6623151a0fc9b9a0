"""The table of exploratory comparisons."""

import pandas as pd

from selfdoubt.figures.texts import NO_BREAK
from selfdoubt.report.arms import BY_NAME, Arms
from selfdoubt.report.effects import margin_of, tracks_of
from selfdoubt.report.formats import difference, metric_of, number, p_value
from selfdoubt.report.numbers import Numbers
from selfdoubt.report.tables import Cell, Table

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
        cells[5 + several].track = track
        cells[4 + several].exact = None if pd.isna(row["difference"]) else metric.difference_scale * row["difference"]
        table.rows.append((f"{names.label(row['better'])} − {names.label(row['than'])}", cells))
    method = _METHOD_OF_ONE if replicates == ["1"] else _METHOD
    table.caption = (
        f"Not pre-registered: they suggest hypotheses and confirm none. {method}"
        " Holm's correction within the study. Below an interval it is drawn in units of its margin, the smallest "
        "difference of interest, which is shaded; to the right the arm is better."
        f"{f' Replicates: {replicates[0]}.' if len(replicates) == 1 else ''}"
    )
    return table
