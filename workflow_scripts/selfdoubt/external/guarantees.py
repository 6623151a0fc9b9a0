"""Thresholds with a bound on the risk, and conformal sets, of models whose predictions are in files."""

from pathlib import Path
from types import SimpleNamespace

import pandas as pd

from selfdoubt.evaluation import guarantees
from selfdoubt.evaluation.predictions import Predictions
from selfdoubt.evaluation.softmax import NO_VAL
from selfdoubt.runtime import table_files
from selfdoubt.runtime.atomic_files import atomic_path
from selfdoubt.runtime.schemas.guarantees import GUARANTEES_SCHEMA

_KEYS = ["name", "score", "method", "level"]
_HEADINGS = {True: "accepted of test by a threshold with a bound on the risk", False: "conformal sets on test"}


def rows_of(name: str, predictions: dict[str, Predictions], scores: list[str], settings: SimpleNamespace) -> list[dict]:
    """Return the rows of the table of guarantees of one model.

    scores: those that it may have. settings: of the command; of its `guarantees` scores is None where none is named,
    which means msp, and of a model without logits what it has.
    """
    if settings.guarantees is None:
        return []
    named = settings.guarantees.scores or ["msp"]
    own = SimpleNamespace(**vars(settings.guarantees) | {"scores": [s for s in scores if s in named] or scores})
    identity = {"dataset": "given", "name": name, "replicate": 0, "variant": "clean"}
    rows = guarantees.evaluate(predictions, own, identity)
    for row in rows:
        row["reason"] = f"{NO_VAL}; give --val FILE" if row["reason"] == NO_VAL else row["reason"]
    return rows


def write(path: Path, rows: list[dict]) -> None:
    """Write the rows in the format of the file's suffix, Parquet in the pipeline's schema."""
    if path.suffix.lower() == ".parquet":
        table_files.write_rows(path, rows, GUARANTEES_SCHEMA)
        return
    frame = pd.DataFrame(rows, columns=GUARANTEES_SCHEMA.names)
    with atomic_path(path) as temporary:
        if path.suffix.lower() == ".csv":
            frame.to_csv(temporary, index=False)
        else:
            frame.to_json(temporary, orient="records", indent=1, double_precision=15)


def printed(rows: list[dict], settings: SimpleNamespace) -> tuple[list[tuple[str, pd.DataFrame, int]], list[str]]:
    """Return headings, cells and the number of columns that name a row, of one table of each kind, and notes."""
    if not rows:
        return [], []
    frame = pd.DataFrame(rows).astype({"value": float})
    tables, notes = [], []
    for selects in (True, False):
        part = frame[(frame.method == "sgr") == selects]
        known = part.dropna(subset="value")
        if len(known):
            tables.append((f"{_HEADINGS[selects]}{_chosen(selects, settings)}", _cells(part, known), len(_KEYS)))
        for reason, missing in part.dropna(subset="reason").groupby("reason", sort=False):
            if not missing.quantity.str.startswith("coverage-size-").all():
                notes.append(f"{', '.join(dict.fromkeys(map(_what, missing.itertuples())))}: {reason}")
    return tables, notes


def _chosen(selects: bool, settings: SimpleNamespace) -> str:
    own = settings.guarantees
    if selects:
        return f" (delta {own.delta:g}; broken-bounds of {own.n_resplits:,} random re-splits of val and test)"
    return f" (raps: penalty {own.raps_penalty:g} beyond {own.raps_free_classes} classes)"


def _cells(part: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each model, score, method and level, and a column a quantity."""
    wide = known.assign(text=[f"{value:.4f}" for value in known.value])
    wide = wide.pivot(index=_KEYS, columns="quantity", values="text")
    wide = wide.reindex(index=pd.MultiIndex.from_frame(known[_KEYS].drop_duplicates()))
    quantities = [name for name in dict.fromkeys(part.quantity) if name in wide]
    wide = wide[quantities].fillna("").rename_axis(columns=None).reset_index()
    return wide.assign(level=[f"{level:g}" for level in wide.level])


def _what(row) -> str:
    return f"{row.name} {row.score} {row.method} {row.level:g}"
