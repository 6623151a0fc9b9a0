"""Tables of thresholds with a bound on the risk, and of conformal sets."""

import pandas as pd

from selfdoubt.figures.points import with_arms
from selfdoubt.figures.texts import NO_BREAK
from selfdoubt.report.arms import BY_NAME, Arms
from selfdoubt.report.tables import Cell, Table, mean_cell

_OF_SELECTION = {"bound": "bound", "coverage": f"coverage{NO_BREAK}↑", "risk": "risk", "broken-bounds": "bounds broken"}
_OF_SETS = {"coverage": "coverage", "size": f"size{NO_BREAK}↓", "size-stratified-coverage": "least by size"}
_WHAT = {
    True: "a threshold on the confidence, found on val (selection with guaranteed risk), and what it accepts of test. "
    "Bounds broken: the fraction of random re-splits of the rows of val and test with a risk above the bound.",
    False: "conformal sets, calibrated on val, on test. Least by size: the coverage of the sets of those sizes that "
    "have the lowest.",
}


def guarantee_tables(guarantees: pd.DataFrame, names: Arms = BY_NAME) -> list[Table]:
    """Return two tables for each data set and score, a row an arm: of thresholds, and of conformal sets."""
    if guarantees.empty:
        return []
    rows = with_arms(guarantees)
    parts = rows.assign(selects=rows["method"] == "sgr").groupby(["dataset", "score", "selects"], sort=False)
    return [_table(dataset, score, selects, part, names) for (dataset, score, selects), part in parts]


def _table(dataset: str, score: str, selects: bool, rows: pd.DataFrame, names: Arms) -> Table:
    n_replicates = rows["replicate"].nunique()
    spread = f"Mean ± standard deviation over {n_replicates} replicates" if n_replicates > 1 else "One replicate"
    table = Table(f"{dataset}, {score}: {_WHAT[selects]} {spread}.", [], "arm")
    shown, columns, notes = _OF_SELECTION if selects else _OF_SETS, [], {}
    for method, level in rows[["method", "level"]].drop_duplicates().itertuples(index=False):
        columns += [(method, level, quantity) for quantity in shown]
        table.groups.append((f"risk {level:g}" if selects else f"{method.upper()}, {1 - level:.4g}", len(shown)))
    table.headings = [shown[quantity] for *_, quantity in columns]
    for arm, own in rows.groupby("arm", sort=False):
        of = dict(list(own.groupby(["method", "level", "quantity"], sort=False)))
        table.rows.append((names.marked(arm), [_cell(of[column], notes) for column in columns]))
    table.notes = [(letter, reason) for reason, letter in notes.items()]
    return table


def _cell(rows: pd.DataFrame, notes: dict[str, str]) -> Cell:
    """Return mean and standard deviation over the replicates that have a value; a note gives each reason."""
    return mean_cell(rows, 2 if rows["quantity"].iloc[0] == "size" else 4, notes)
