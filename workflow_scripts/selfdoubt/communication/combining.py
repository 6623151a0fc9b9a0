"""How a group decides from its members' predictions alone; no model is run.

A protocol is a module of `communication.protocols`. One that needs predictions alone has

    decide(members, settings) -> Combined
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from selfdoubt.evaluation.undefined import Undefined
from selfdoubt.runtime import methods, table_files
from selfdoubt.runtime.errors import UserError


class Members(NamedTuple):
    """The members' predictions of the images of all splits."""

    logits: list[np.ndarray]  # float32 (n, K) of each
    is_val: np.ndarray  # (n,) bool, the rows on which protocols may be fitted
    val_labels: np.ndarray  # int64, of those rows

    @property
    def val_logits(self) -> list[np.ndarray]:
        """Return the logits of the rows of val."""
        return [logits[self.is_val] for logits in self.logits]


class Combined(NamedTuple):
    """What a group decides."""

    log_probabilities: np.ndarray  # float64 (n, K)
    chosen: dict  # what was fitted or chosen on val, JSON-able


def decide(members: Members, settings) -> Combined:
    """Let a group decide by one of config.yaml's `protocols` that need predictions alone.

    Raises `Undefined` if something has to be fitted on val and cannot be.
    """
    return methods.load("communication.protocols", settings.method).decide(members, settings)


def combine(tables: list[pa.Table], settings) -> tuple[pa.Table, dict]:
    """Return the group's predictions table from its members', and what was chosen on `val`.

    Raises UserError if the tables are not of the same images, or if something has to be fitted on `val` and cannot be.
    """
    first, *others = tables
    if any("logits" not in table.column_names for table in tables):
        raise UserError(f"predictions: of a member no logits are known, which {settings.method} needs; leave it out")
    schema = first.schema
    n_classes = schema.field("logits").type.list_size
    if other := {table.schema.field("logits").type.list_size for table in others} - {n_classes}:
        what = f"a member has logits of {n_classes} classes and another of {min(other)}"
        raise UserError(f"predictions: {what}; members must know the same classes")
    tables = [first, *(_matched(other, first) for other in others)]
    is_val = np.array(first["split"].to_pylist()) == "val"
    labels = first["label"].to_numpy()[is_val].astype(np.int64)
    try:
        found = decide(Members([_logits(table, n_classes) for table in tables], is_val, labels), settings)
    except Undefined as reason:
        raise UserError(f"predictions: {settings.method} cannot be fitted ({reason}); see the members'") from None
    schema = table_files.predictions_schema(n_classes, ("ood_class",) if "ood_class" in first.column_names else ())
    logits = found.log_probabilities.astype(np.float32)
    column = pa.FixedSizeListArray.from_arrays(logits.ravel(), type=schema.field("logits").type)
    table = first.set_column(first.schema.get_field_index("logits"), schema.field("logits"), column)
    return table.select(schema.names), found.chosen


def _matched(table: pa.Table, first: pa.Table) -> pa.Table:
    """Return a table with its rows in the order of the first's images; raises UserError if they are of others."""
    if not all(table[key].equals(first[key]) for key in ("split", "image_id")):
        keys, wanted = (
            list(zip(t["split"].to_pylist(), t["image_id"].to_pylist(), strict=True)) for t in (table, first)
        )
        places = {key: row for row, key in enumerate(keys)}
        if alone := [*(places.keys() ^ {*wanted})]:
            split, image = min(alone, key=str)
            what = f"image_id {image} of {split} is in one and not in the other"
            raise UserError(f"predictions: the members' tables are not of the same images: {what}")
        if len(places) < len(keys) or len({*wanted}) < len(wanted):
            raise UserError("predictions: a member's table has an image twice; give each one row")
        table = table.take([places[key] for key in wanted])
    if not table["label"].equals(first["label"]):
        raise UserError("predictions: the members' tables are not of the same images; delete them and run again")
    return table


def _logits(table: pa.Table, n_classes: int) -> np.ndarray:
    return table["logits"].combine_chunks().flatten().to_numpy().reshape(-1, n_classes)
