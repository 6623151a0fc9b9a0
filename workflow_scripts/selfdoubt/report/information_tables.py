"""Tables of the information test: what gains say beyond the members' predictions."""

from dataclasses import replace

import pandas as pd

from selfdoubt.figures.texts import NO_BREAK
from selfdoubt.report.arms import BY_NAME, Arms
from selfdoubt.report.formats import number
from selfdoubt.report.tables import Cell, Table, number_cell


def information_tables(information: pd.DataFrame, names: Arms = BY_NAME) -> list[Table]:
    """Return a table for each data set and group, a row a protocol; information: INFORMATION."""
    if information.empty:
        return []
    parts = information.groupby(["dataset", "group"], sort=False)
    return [_table(dataset, group, rows, names) for (dataset, group), rows in parts]


def _table(dataset: str, group: str, rows: pd.DataFrame, names: Arms) -> Table:
    n, margin = rows["replicate"].nunique(), rows["margin"].iloc[0]
    headings = ["images", "NLL without gains", "with gains", "difference", f"95{NO_BREAK}% interval", "verdict"]
    table = Table(_caption(dataset, names.label(group), n, margin), headings, "arm")
    notes = {}
    for protocol, own in rows.groupby("protocol", sort=False):
        table.rows.append((names.label(f"{group}/{protocol}"), _cells(own, notes)))
    table.notes = [(letter, reason) for reason, letter in notes.items()]
    return table


def _cells(rows: pd.DataFrame, notes: dict[str, str]) -> list[Cell]:
    marks = [notes.setdefault(reason, chr(ord("a") + len(notes))) for reason in rows["reason"].dropna().unique()]
    over_all = rows[rows["replicate"].isna()]
    if over_all.empty:
        return [Cell("–", marks=",".join(marks)), *(Cell("–") for _ in range(5))]
    row = over_all.iloc[0]
    ends = [None if pd.isna(row[end]) else row[end] for end in ("low", "high")]
    interval = "–" if None in ends else f"{number(ends[0], 4, True)} to {number(ends[1], 4, True)}"
    return [
        replace(number_cell(row["n"], 0), marks=",".join(marks)),
        *(number_cell(row[key], 4) for key in ("without", "with")),
        number_cell(row["difference"], 4, sign=True),
        Cell(interval, exact=ends[0], exact_high=ends[1]),
        Cell(row["verdict"]),
    ]


def _caption(dataset: str, group: str, n: int, margin: float) -> str:
    over = f"{n} replicates and images" if n > 1 else "images"
    return (
        f"What {group} learns by messages or views on {dataset}, test: the NLL (nats) of which of the two top classes "
        "is correct, of images about which the group is uncertain, by a regression on the members' predictions "
        "without and with the gains; out of fold. Below 0: gains are informative, whatever is done with them. "
        f"Intervals over {over}; negligible: within ±{margin:g} nats, at a level of 5 % for each row by itself."
    )
