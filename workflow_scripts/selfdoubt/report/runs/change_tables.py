"""What changed between two runs, as tables for people: on the page, and printed."""

from dataclasses import dataclass

import pandas as pd

from selfdoubt.external.tables import FORMS
from selfdoubt.external.tables import Table as Printed
from selfdoubt.figures.texts import counted
from selfdoubt.report.formats import difference, metric_of, number
from selfdoubt.report.page import page
from selfdoubt.report.runs.reading import Run
from selfdoubt.report.tables import Cell, Table

_ON_PAGE, _PRINTED = 500, 20  # rows of a table
_LONGEST = 36  # letters of a printed setting
_TITLES = {
    "setting": "Settings that differ",
    "arm": "Arms in one run alone",
    "verdict": "Verdicts that turned",
    "number": "Numbers beyond the intervals",
    "difference": "Differences between arms beyond the intervals",
}
_MEANING = {
    "number": "Means over replicates whose 95 % intervals have nothing in common, the farthest apart first; an "
    "interval is that of t over replicates, of a single replicate that of its images.",
    "difference": "Differences of two arms whose 95 % intervals have nothing in common, the farthest apart first.",
}


@dataclass(frozen=True)
class Part:
    """Rows of one kind as texts."""

    kind: str
    rows: list[list[str]]  # the first cell names the row
    headings: list[str]
    n_words: int  # cells that are words, the first one counted

    @property
    def title(self) -> str:
        return f"{_TITLES[self.kind]}: {len(self.rows):,}"


def parts_of(changes: pd.DataFrame, first: Run, second: Run) -> list[Part]:
    """Return the parts that have rows. changes: CHANGES."""
    names = [f"in {run.folder.name}" for run in (first, second)]
    if names[0] == names[1]:
        names = ["in the first", "in the second"]
    found, several = [], changes["dataset"].nunique() > 1
    for kind in _TITLES:
        rows = changes[changes["kind"] == kind]
        if kind in ("number", "difference"):
            rows = _farthest_first(rows[rows["beyond"].isin([True])])
        made = [_ROWS[kind](row, second) for row in rows.to_dict("records")]
        headings = [*_HEADINGS[kind], *names]
        if "data set" in headings and not several:
            made, headings = [row[:1] + row[2:] for row in made], headings[:1] + headings[2:]
        if made:
            found.append(Part(kind, made, headings, len(headings) - 2 * (kind not in _WORDS)))
    return found


def heading(changes: pd.DataFrame, first: Run, second: Run, n_numbers: int) -> str:
    """Return one sentence on what was compared, and how much of it differs."""
    numbers = changes[changes["kind"] == "number"]
    beyond = int(numbers["beyond"].isin([True]).sum())
    which = f"{first.folder.name} (commit {first.commit}) against {second.folder.name} (commit {second.commit})"
    return (
        f"{which}: of {counted(n_numbers, 'number')} that both have {len(numbers):,} differ, {beyond:,} of them beyond "
        f"the intervals; verdicts that turned: {(changes['kind'] == 'verdict').sum()}; settings that differ: "
        f"{(changes['kind'] == 'setting').sum()}."
    )


def html(parts: list[Part], text: str) -> str:
    """Return the page, in the style of the report."""
    tables = []
    for part in parts:
        shown = part.rows[:_ON_PAGE]
        table = Table(_MEANING.get(part.kind, ""), part.headings[1:], part.headings[0], part.n_words - 1, wraps=True)
        table.rows = [(name, [Cell(cell) for cell in cells]) for name, *cells in shown]
        if len(part.rows) > len(shown):
            table.caption += f" {len(shown)} of {len(part.rows):,}; changes.parquet has all."
        tables.append((part.title, [table]))
    return page(headline=text.replace("\n", " "), tables=tables)


def printed(parts: list[Part], text: str) -> str:
    """Return the same as a text."""
    tables, notes = [], []
    for part in parts:
        shown = [[name, *map(_cut, cells)] for name, *cells in part.rows[:_PRINTED]]
        tables.append(Printed(part.title, pd.DataFrame(shown, columns=part.headings), 1))
        if len(part.rows) > _PRINTED:
            notes.append(f"{_TITLES[part.kind].lower()}: {_PRINTED} of {len(part.rows):,} are shown")
    return f"{text}\n\n{FORMS['table'](tables, notes)}".replace("\u00a0", " ").rstrip()


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _farthest_first(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows by the gap between the intervals, in units of their widths."""
    widths = (rows["first_high"] - rows["first_low"]) + (rows["second_high"] - rows["second_low"])
    gap = (rows["first"] - rows["second"]).abs() / widths.where(widths > 0)
    return rows.loc[gap.fillna(float("inf")).sort_values(ascending=False, kind="stable").index]


def _setting(row: dict, run: Run) -> list[str]:
    return [row["key"], *(_text(row[f"{side}_text"], "not set") for side in ("first", "second"))]


def _arm(row: dict, run: Run) -> list[str]:
    return [run.arms.label(row["arm"]), row["dataset"], *(_text(row[f"{s}_text"], "–") for s in ("first", "second"))]


def _verdict(row: dict, run: Run) -> list[str]:
    cells = []
    for side in ("first", "second"):
        text = _text(row[f"{side}_text"], "not claimed")
        cells.append(text if pd.isna(row[side]) else f"{text}: {_change(row, side)}")
    return [row["key"], row["dataset"], _quantity(row), *cells]


def _number(row: dict, run: Run) -> list[str]:
    metric = metric_of(row["metric"])
    where = [row["dataset"], row["split"], "" if row["score"] == "none" else row["score"], metric.heading]
    cells = [
        _with_interval(row, side, lambda v: number(metric.scale * v, metric.digits)) for side in ("first", "second")
    ]
    return [run.arms.label(row["arm"]), *where, *cells]


def _difference(row: dict, run: Run) -> list[str]:
    pair = f"{run.arms.label(row['arm'])} − {run.arms.label(row['than'])}"
    where = [row["dataset"], row["split"], "" if row["score"] == "none" else row["score"], _quantity(row)]
    return [pair, *where, _change(row, "first"), _change(row, "second")]


def _quantity(row: dict) -> str:
    """Return the metric of a difference and its unit."""
    metric = metric_of(row["metric"])
    return f"{metric.label} ({metric.short_unit})" if metric.short_unit else metric.label


def _change(row: dict, side: str) -> str:
    metric = metric_of(row["metric"])
    return _with_interval(row, side, lambda value: difference(value, metric))


def _with_interval(row: dict, side: str, written) -> str:
    if pd.isna(row[side]):
        return _text(row[f"{side}_text"], "–")
    if pd.isna(row[f"{side}_low"]):
        return written(row[side])
    return f"{written(row[side])} [{written(row[f'{side}_low'])}, {written(row[f'{side}_high'])}]"


def _text(text, otherwise: str) -> str:
    return text if isinstance(text, str) else otherwise


_QUANTITY = ["data set", "split", "score", "metric"]
_HEADINGS = {
    "setting": ["setting"],
    "arm": ["arm", "data set"],
    "verdict": ["claim", "data set", "difference of"],
    "number": ["arm", *_QUANTITY],
    "difference": ["arms", *_QUANTITY],
}
_WORDS = ("setting", "arm", "verdict")  # kinds whose last two cells are words
_ROWS = {"setting": _setting, "arm": _arm, "verdict": _verdict, "number": _number, "difference": _difference}
