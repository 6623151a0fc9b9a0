"""The numbers of models whose predictions are in files, printed for people and written for programs.

Rows are those of `numbers.evaluate_models`.
"""

import json
import shutil
from math import isclose
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pyarrow as pa

from selfdoubt.evaluation.softmax import TEMPERATURE_BOUNDS
from selfdoubt.evaluation.splits import ALL_CORRUPTED, is_ood, mean_splits
from selfdoubt.external.numbers import is_wanted
from selfdoubt.runtime import table_files
from selfdoubt.runtime.atomic_files import atomic_path
from selfdoubt.runtime.errors import UserError
from selfdoubt.runtime.schemas.comparisons import IDENTICAL
from selfdoubt.runtime.schemas.metrics import METRICS_SCHEMA
from selfdoubt.settings.metrics import split_name

_COMPARED = [("reference", pa.string()), ("difference", pa.float64()), ("difference_low", pa.float64())]
_COMPARED += [("difference_high", pa.float64()), ("p", pa.float64())]
_COMPARED += [("difference_reason", pa.string())]  # why there is no interval: as in the table of comparisons
_AREAS = ("aurc", "e-aurc", "augrc", "failure-aurc", "failure-augrc")  # printed in thousandths, as papers do
_WIDTH = 120  # columns, where there is no terminal


class Table(NamedTuple):
    """The numbers of one split: a heading, and texts of which the first columns name the row."""

    heading: str
    cells: pd.DataFrame
    n_names: int


# ---- for programs ----


def write(path: Path, rows: list[dict], writer=None) -> None:
    """Write the rows as Parquet, CSV or JSON, as the file's suffix sets.

    Parquet has the pipeline's schema, to which a comparison adds its columns; what was chosen is in its metadata.
    writer: of other rows. Raises UserError where the file cannot be written.
    """
    try:
        (writer or WRITERS[path.suffix.lower()])(path, rows)
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror or error})") from None


def _write_parquet(path: Path, rows: list[dict]) -> None:
    chosen = {name: {} for name in _unique(row["name"] for row in rows)}
    for row in rows:
        if row["chosen_on_val"]:
            chosen[row["name"]][row["score"]] = row["chosen_on_val"]
    schema = pa.schema([*METRICS_SCHEMA, *(_COMPARED if "reference" in rows[0] else [])])
    table_files.write_rows(path, rows, schema, {"chosen_on_val": chosen})


def _write_csv(path: Path, rows: list[dict]) -> None:
    chosen = [json.dumps(row["chosen_on_val"]) if row["chosen_on_val"] else None for row in rows]
    with atomic_path(path) as temporary:
        pd.DataFrame(rows).assign(chosen_on_val=chosen).to_csv(temporary, index=False)


def _write_json(path: Path, rows: list[dict]) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(as_json(rows) + "\n")


def as_json(rows: list[dict]) -> str:
    """Return the rows as a list of objects, a key a column; `chosen_on_val` is an object, or null."""
    return json.dumps(rows, indent=1)


WRITERS = {".parquet": _write_parquet, ".csv": _write_csv, ".json": _write_json}


# ---- for people ----


def report(
    rows: list[dict], splits: list[str] | None, form: str, further: list[tuple] = (), notes: list[str] = ()
) -> str:
    """Return tables of the numbers, one for each split, and notes on them, as one of FORMS.

    One model has a column a score; several, or a single score, have a column a model. splits: those to show, None: all
    but val and single corruptions. further, notes: of other numbers, for the end.
    """
    frame = pd.DataFrame(rows)
    hidden = set() if splits else _of_single_corruptions(frame.split)
    shown = frame[[is_wanted(split, splits) and split not in hidden for split in frame.split]]
    shown = shown.assign(cell=[_cell(row) for row in shown.itertuples()])
    of_scores = shown.name.nunique() == 1 and len(set(shown.score) - {"none"}) > 1
    table_of = _table_of_scores if of_scores else _table_of_models
    known = shown.dropna(subset="value")
    tables = [table_of(split, found, set(shown.score)) for split, found in known.groupby("split", sort=False)]
    return FORMS[form]([*tables, *(Table(*each) for each in further)], [*_notes(shown, frame, len(hidden)), *notes])


def _of_single_corruptions(splits: pd.Series) -> set[str]:
    means = mean_splits(_unique(splits))
    return {*means, *(member for members in means.values() for member in members)} - {ALL_CORRUPTED}


def _cell(row) -> str:
    """Return the value, and its interval where there is one."""
    return "" if pd.isna(row.value) else _numbers(row.metric, row.value, row.low, row.high, "")


def _numbers(metric: str, value: float, low: float, high: float, sign: str) -> str:
    factor, digits = (1000, 2) if metric in _AREAS else (1, 4)
    text = f"{value * factor:{sign}.{digits}f}"
    return text if pd.isna(low) else f"{text} [{low * factor:{sign}.{digits}f}, {high * factor:{sign}.{digits}f}]"


def _heading(metric: str) -> str:
    """Return how a metric is called where its values are printed."""
    return f"{metric} ×10³" if metric in _AREAS else metric


def _table_of_scores(split: str, known: pd.DataFrame, scores: set[str]) -> Table:
    """Return the table of one model: a row a metric, a column a score."""
    ranked = known[known.score != "none"]
    cells = ranked.pivot(index="metric", columns="score", values="cell").reindex(_unique(ranked.metric))
    cells = cells[_unique(ranked.score)].fillna("").rename_axis(columns=None).reset_index()
    cells["metric"] = cells.metric.map(_heading)
    accuracy = [f": {row.metric} {row.cell}" for row in known[known.score == "none"].itertuples()]
    return Table(f"{known.name.iloc[0]} on {_split(split, known)}{''.join(accuracy)}", cells, 1)


def _table_of_models(split: str, known: pd.DataFrame, scores: set[str]) -> Table:
    """Return the table of several models, or of one score: a row a metric of a score, a column a model."""
    columns, differences = {}, {}
    for name, found in known.groupby("name", sort=False):
        own = found.set_index(["score", "metric"])
        columns[name] = own.cell
        if "reference" in own and own.difference.notna().any():
            changes = [_change(row) for row in found.itertuples()]
            differences[f"{name} - {own.reference.iloc[0]}"] = pd.Series(changes, own.index)
    keys = known[["score", "metric"]].drop_duplicates()
    cells = pd.concat([*columns.values(), *differences.values()], axis=1).reindex(pd.MultiIndex.from_frame(keys))
    cells = cells.set_axis(range(cells.shape[1]), axis=1).fillna("").reset_index()
    cells["metric"] = cells.metric.map(_heading)
    cells["score"] = cells.score.replace("none", "").where(cells.score != cells.score.shift(), "")
    cells = cells.set_axis(["score", "metric", *columns, *differences], axis=1)  # a model may be named as a column is
    scores = sorted(scores - {"none"})
    if len(scores) > 1:
        return Table(_split(split, known), cells, 2)
    return Table(_split(split, known) + "".join(f", {score}" for score in scores), cells.iloc[:, 1:], 1)


def _change(row) -> str:
    """Return the difference from the reference, its interval and p; of models that are alike on every image a word."""
    if pd.isna(row.difference):
        return ""
    if row.difference_reason == IDENTICAL:
        return "identical"
    p = "" if pd.isna(row.p) else f" p {row.p:.2g}"
    return f"{_numbers(row.metric, row.difference, row.difference_low, row.difference_high, '+')}{p}"


def _split(split: str, known: pd.DataFrame) -> str:
    """Return the name of a split and how many samples it has."""
    counts = known.drop_duplicates("name").set_index("name").n
    n = [f"{counts.iloc[0]:,}"] if counts.nunique() == 1 else [f"{n:,} of {name}" for name, n in counts.items()]
    return f"{split} (n = {', '.join(n)}{', test included' if is_ood(split) else ''})"


# ---- notes ----


def _notes(shown: pd.DataFrame, frame: pd.DataFrame, n_hidden: int) -> list[str]:
    """Return the notes below the tables: what intervals are, what was chosen on val, and why numbers are missing."""
    notes = ["[low, high]: 95 % interval, bootstrap over samples"] if shown.low.notna().any() else []
    if "reference" in shown:
        reference = shown.reference.iloc[0]
        notes.append(f"differences from {reference} are paired by samples; p is not corrected for their number")
    for name, found in shown.groupby("name", sort=False):
        start = f"{name}: " if shown.name.nunique() > 1 else ""
        notes += [start + line for line in [*_choices(frame[frame.name == name]), *_missing(found)]]
    if n_hidden:
        notes.append(f"not shown: {n_hidden} splits of single corruptions; name them by --splits, or see --output")
    return notes


def _choices(found: pd.DataFrame) -> list[str]:
    """Return a line for each score that something was chosen for."""
    chosen = dict(zip(found.score, found.chosen_on_val, strict=True))
    values = [(score, *choice) for score, choices in chosen.items() for choice in (choices or {}).items()]
    return [f"{score}: {what} {_chosen(what, value)}, chosen on val" for score, what, value in values]


def _chosen(what: str, value: float | str) -> str:
    if not isinstance(value, float):
        return str(value)
    at_bound = what == "temperature" and any(isclose(value, bound, rel_tol=1e-6) for bound in TEMPERATURE_BOUNDS)
    return f"{value:.4f}{' (at its bound)' if at_bound else ''}"


def _missing(found: pd.DataFrame) -> list[str]:
    """Return a line for each reason why a model's numbers are missing: which metrics, of which scores, and where."""
    scores_without = {}  # (reason, metrics, where) -> scores
    for (score, reason), rows in found[found.value.isna()].groupby(["score", "reason"], sort=False):
        own = found[found.score == score]
        what = _families(set(rows.metric), list(own.metric))
        others = set(own[own.metric.isin(rows.metric)].split) - set(rows.split)
        where = f" on {', '.join(_unique(rows.split))}" if others else ""
        scores_without.setdefault((reason, what, where), []).append(score)
    lines = []
    for (reason, what, where), scores in scores_without.items():
        of = "" if scores == ["none"] else f" for {', '.join(scores)}"
        lines.append(f"no {what}{of}{where}: {reason}")
    return lines


def _families(missing: set[str], known: list[str]) -> str:
    """Return the names of missing metrics: FAMILY-* where a whole family is, "number" where several are all."""
    if missing == set(known) and len(missing) > 1:
        return "number"
    names = []
    for name in known:
        family, percent = split_name(name)
        whole = percent is not None and missing >= {other for other in known if split_name(other)[0] == family}
        names += [f"{family}-*" if whole else name] * (name in missing)
    return ", ".join(_unique(names))


def _unique(values) -> list:
    return list(dict.fromkeys(values))


# ---- forms ----


def _text(tables: list[Table], notes: list[str]) -> str:
    return "\n\n".join([*map(_text_of, tables), *(["\n".join(notes)] if notes else [])])


def _text_of(table: Table) -> str:
    """Return a table in columns; those that are wider than the terminal continue below, without the rows they lack."""
    columns = [[name, *texts] for name, texts in zip(table.cells, table.cells.to_numpy().T, strict=True)]
    columns = [[f"{text:<{max(map(len, column))}}" for text in column] for column in columns]
    names, blocks = columns[: table.n_names], []
    width = shutil.get_terminal_size((_WIDTH, 0)).columns
    for column in columns[table.n_names :] if len(table.cells) else []:
        if not blocks or len("  ".join(each[0] for each in [*names, *blocks[-1], column])) > width:
            blocks.append([])
        blocks[-1].append(column)
    parts = []
    for block in blocks:
        lines = [line for line in zip(*names, *block, strict=True) if "".join(line[table.n_names :]).strip()]
        parts.append("\n".join("  ".join(line).rstrip() for line in lines))
    return "\n".join([table.heading, *(["\n\n".join(parts)] if parts else [])])


def _markdown(tables: list[Table], notes: list[str]) -> str:
    parts = []
    for heading, cells, _ in tables:
        named = cells.rename(columns=lambda name: name.replace("|", "\\|"))
        parts += [f"**{heading}**", *([named.to_markdown(index=False, disable_numparse=True)] if len(cells) else [])]
    return "\n\n".join([*parts, *(["\n".join(f"- {note}" for note in notes)] if notes else [])])


def _latex(tables: list[Table], notes: list[str]) -> str:
    """Return booktabs tables; what is no table is a comment."""
    parts = [
        f"% {heading}\n{cells.to_latex(index=False, escape=True) if len(cells) else ''}" for heading, cells, _ in tables
    ]
    return "\n".join([*parts, *(f"% {note}" for note in notes)])


FORMS = {"table": _text, "markdown": _markdown, "latex": _latex}
