"""Tables of groups: errors that their protocols fix and introduce, fitted weights, and what they cost."""

import pandas as pd

from selfdoubt.figures.texts import NO_BREAK, counted, listed
from selfdoubt.report.arms import BY_NAME, Arms
from selfdoubt.report.formats import number
from selfdoubt.report.tables import Cell, Table, mean_cell
from selfdoubt.settings.upper_bounds import BEST, ORACLE

_COLUMNS = {  # quantity -> heading, digits
    "accuracy": (f"accuracy{NO_BREAK}↑", 4),
    "accuracy-disagreed": (f"where members disagree{NO_BREAK}↑", 4),
    "fixed": ("errors fixed", 1),
    "broken": ("errors introduced", 1),
    "weight": ("weight", 2),
    "rounds": ("rounds", 2),
    "forwards": ("forwards", 2),
    "backwards": ("backwards", 2),
}
_REFERENCES = {ORACLE: "oracle selector (upper bound)", BEST: "best member on val"}


def group_tables(groups: pd.DataFrame, arms: list[str], names: Arms = BY_NAME) -> list[Table]:
    """Return a table for each data set and group that has one of the arms: its arms, then the oracle and best member.

    groups: GROUPS. arms: MODEL, MODEL/VARIANT or GROUP/PROTOCOL, in the order of the rows.
    """
    tables = []
    for (dataset, group), rows in groups.groupby(["dataset", "group"], sort=False):
        known = set(rows["protocol"])
        protocols = [arm.partition("/")[2] for arm in arms if arm.startswith(f"{group}/")]
        if protocols := [name for name in protocols if name in known]:
            tables.append(_table(dataset, group, rows, [*protocols, *_REFERENCES], names))
    return tables


def _table(dataset: str, group: str, rows: pd.DataFrame, protocols: list[str], names: Arms) -> Table:
    there, notes = set(rows.loc[rows["protocol"].isin(protocols), "quantity"]), {}
    columns = {quantity: column for quantity, column in _COLUMNS.items() if quantity in there}
    table = Table(_caption(dataset, names.label(group), rows), [heading for heading, _ in columns.values()], "arm")
    for protocol in protocols:
        own = rows[rows["protocol"] == protocol]
        cells = [_cell(own[own["quantity"] == key], digits, notes) for key, (_, digits) in columns.items()]
        table.rows.append((_REFERENCES.get(protocol) or names.label(f"{group}/{protocol}"), cells))
    table.notes = [(letter, reason) for reason, letter in notes.items()]
    return table


def _cell(rows: pd.DataFrame, digits: int, notes: dict[str, str]) -> Cell:
    """Return mean and standard deviation over replicates; what has no such quantity has an empty cell."""
    if rows.empty:
        return Cell("")
    return mean_cell(rows, digits, notes)


def _spread(values: pd.Series, digits: int) -> str:
    return f"±{NO_BREAK}{number(values.std(), digits)}" if len(values) > 1 else ""


def _caption(dataset: str, group: str, rows: pd.DataFrame) -> str:
    split, replicates = listed(list(dict.fromkeys(rows["split"]))), rows["replicate"].nunique()
    oracle = rows[rows["protocol"] == ORACLE].groupby("quantity")["n"]
    disagreed = oracle.get_group("accuracy-disagreed").astype(float)
    shown = " ".join(text for text in (number(disagreed.mean(), 0), _spread(disagreed, 0)) if text)
    spread = f"mean ± standard deviation over {replicates} replicates" if replicates > 1 else "one replicate"
    images = counted(int(oracle.get_group("accuracy").max()), "image")
    return (
        f"Decisions of {group} on {dataset}, {split} (n = {images}, on {shown} of which its members disagree); "
        f"{spread}. Errors fixed and introduced: the number of images that the mean probability of the members "
        "classifies incorrectly and the protocol correctly, and the reverse. Weight: that of the gains from messages, "
        "fitted on val; a negative one favours the class that gains less. Rounds: of dialogue about an image on which "
        "members disagree. Forwards and backwards: passes through a member per image, fitting on val excluded. The "
        "oracle selector is correct wherever any member is."
    )
