"""Tables ready for the template."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from selfdoubt.figures.texts import NO_BREAK
from selfdoubt.report.formats import number, p_value


@dataclass
class Cell:
    """One cell: text, spread and the letters of its notes."""

    text: str
    spread: str = ""
    marks: str = ""
    best: bool = False
    value: float | None = None
    exact: float | None = None  # what the text rounds, in its unit
    exact_spread: float | None = None
    exact_high: float | None = None  # of an interval, whose low end is `exact`
    track: object = None  # an `effects.Track`, drawn below the text
    key: tuple | None = None  # of the number that it shows, in the table of metrics


@dataclass
class Table:
    """A table ready for the template."""

    caption: str
    headings: list[str]  # of the columns after the first
    corner: str = ""  # head of the first column
    n_words: int = 0  # how many of the columns after the first hold words, not numbers
    wraps: bool = False  # whether those words may take several lines
    rows: list[tuple[str, list[Cell]]] = field(default_factory=list)
    groups: list[tuple[str, int]] = field(default_factory=list)  # texts above the headings, with their spans
    notes: list[tuple[str, str]] = field(default_factory=list)  # letter, text

    def is_numeric(self, column: int) -> bool:
        """Return whether a column after the first, by its place, holds numbers: by these it is sorted."""
        return any(cells[column].exact is not None for _, cells in self.rows)


def number_cell(value: float | None, digits: int, sign: bool = False, spread: str = "") -> Cell:
    """Return a number, "–" where there is none; sign: also that of a positive one. spread: text below it."""
    return Cell(number(value, digits, sign), spread, exact=_or_none(value))


def p_cell(p: float | None) -> Cell:
    """Return p without the sign of equality."""
    return Cell(p_value(p).removeprefix(f"={NO_BREAK}"), exact=_or_none(p))


def _or_none(value: float | None) -> float | None:
    return None if value is None or pd.isna(value) else float(value)


def mean_cell(rows: pd.DataFrame, digits: int, notes: dict[str, str], scale: float = 1) -> Cell:
    """Return mean and standard deviation of `value` over replicates, times `scale`.

    notes: reason -> letter, to which the rows' reasons are added: they say why a value is not there.
    """
    marks = ",".join(notes.setdefault(why, chr(ord("a") + len(notes))) for why in dict.fromkeys(_there(rows["reason"])))
    values = scale * np.array(_there(rows["value"]))
    if not len(values):
        return Cell("–", marks=marks)
    mean, deviation = float(values.mean()), float(values.std(ddof=1)) if len(values) > 1 else None
    spread = "" if deviation is None else f"±{NO_BREAK}{number(deviation, digits)}"
    return Cell(number(mean, digits), spread, marks, exact=mean, exact_spread=deviation)


def _there(column: pd.Series) -> list:
    """Return the values of a column that are not missing, as a list: a column of pandas takes ten times as long."""
    return [value for value in column.tolist() if value is not None and value == value]  # NaN is not equal to itself
