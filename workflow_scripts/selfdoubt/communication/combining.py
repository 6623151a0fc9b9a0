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
    first, schema = tables[0], tables[0].schema
    for other in tables[1:]:
        if not all(other[key].equals(first[key]) for key in ("split", "image_id", "label")):
            raise UserError("predictions: the members' tables are not of the same images; delete them and run again")
    n_classes = schema.field("logits").type.list_size
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


def _logits(table: pa.Table, n_classes: int) -> np.ndarray:
    return table["logits"].combine_chunks().flatten().to_numpy().reshape(-1, n_classes)
