"""Tables of how alike students and their teachers predict."""

from collections.abc import Sequence

import pandas as pd

from selfdoubt.figures.texts import counted, listed
from selfdoubt.report.arms import BY_NAME, Arms
from selfdoubt.report.tables import Cell, Table, mean_cell

SPLIT = "test"
_COLUMNS = {  # quantity -> heading, digits, group
    "agreement": ("agreement", 4, "student and teacher"),
    "kl": ("KL, nats", 4, "student and teacher"),
    "confidence-correlation": ("ρ of confidence", 3, "student and teacher"),
    "confidence-correlation-both-correct": ("ρ, both correct", 3, "student and teacher"),
    "teacher-accuracy": ("accuracy", 4, "teacher"),
    "teacher-auroc": ("AUROC", 4, "teacher"),
    "teacher-ece": ("ECE", 4, "teacher"),
    "teacher-entropy": ("entropy, nats", 3, "teacher"),
}


def fidelity_tables(fidelity: pd.DataFrame, arms: Sequence[str], names: Arms = BY_NAME) -> list[Table]:
    """Return a table for each data set with a row for each student among the arms, in their order.

    fidelity: FIDELITY. Means over replicates on test.
    """
    if fidelity.empty:
        return []
    rows = fidelity[(fidelity["split"] == SPLIT) & fidelity["decile"].isna() & fidelity["student"].isin(arms)]
    return [_table(dataset, own, arms, names) for dataset, own in rows.groupby("dataset")]


def _table(dataset: str, rows: pd.DataFrame, arms: Sequence[str], names: Arms) -> Table:
    headings = ["teacher", *(heading for heading, *_ in _COLUMNS.values())]
    table = Table(_caption(dataset, rows), headings, "student", n_words=1)
    groups = [group for *_, group in _COLUMNS.values()]
    table.groups = [("", 1), *((group, groups.count(group)) for group in dict.fromkeys(groups))]
    notes: dict[str, str] = {}
    for student in [arm for arm in dict.fromkeys(arms) if arm in set(rows["student"])]:
        own = rows[rows["student"] == student]
        teachers = names.spans(own["teacher"].iloc[0].split(", "))
        cells = [mean_cell(own[own["quantity"] == key], digits, notes) for key, (_, digits, _) in _COLUMNS.items()]
        table.rows.append((names.label(student), [Cell(listed(teachers)), *cells]))
    table.notes = [(letter, reason) for reason, letter in notes.items()]
    return table


def _caption(dataset: str, rows: pd.DataFrame) -> str:
    replicates = rows["replicate"].nunique()
    spread = f"mean ± standard deviation over {replicates} replicates" if replicates > 1 else "one replicate"
    return (
        f"Students and their teachers on {dataset}, {SPLIT} (n = {counted(int(rows['n'].max()), 'image')}); {spread}. "
        "Of several teachers the mean probability. Agreement: of predicted classes. KL: of the student's probabilities "
        "from the teacher's. ρ: Spearman's correlation, over images, of the two confidences (msp); beside it that over "
        "images which both classify correctly."
    )
