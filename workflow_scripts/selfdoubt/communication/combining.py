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
    chosen: dict  # what was fitted or chosen on val, JSON-able; `member` is a place among the members, from 0
    forwards: int | None = None  # of an image of test; None: one of each member


def decide(members: Members, settings) -> Combined:
    """Let a group decide by one of config.yaml's `protocols` that need predictions alone.

    Raises `Undefined` if something has to be fitted on val and cannot be.
    """
    return methods.load("communication.protocols", settings.method).decide(members, settings)


def combine(tables: list[pa.Table], settings, names: list[str] | None = None) -> tuple[pa.Table, Combined]:
    """Return the group's predictions table from its members', and what it was made of.

    names: of the members and their files, for errors. Raises UserError if the tables are not of the same images, or if
    something has to be fitted on `val` and cannot be.
    """
    names = names or [f"member {i}" for i in range(1, len(tables) + 1)]
    for name, table in zip(names, tables, strict=True):
        if "logits" not in table.column_names:
            raise UserError(f"{name}: no logits are known, which {settings.method} needs; leave the member out")
    first, *others = tables
    schema = first.schema
    n_classes = schema.field("logits").type.list_size
    for name, table in zip(names, tables, strict=True):
        if (n := table.schema.field("logits").type.list_size) != n_classes:
            what = f"has logits of {n} classes, and {names[0]} of {n_classes}"
            raise UserError(f"{name}: {what}; members must know the same classes")
    tables = [first, *(_matched(one, first, (name, names[0])) for one, name in zip(others, names[1:], strict=True))]
    is_val = np.array(first["split"].to_pylist()) == "val"
    labels = first["label"].to_numpy()[is_val].astype(np.int64)
    try:
        found = decide(Members([_logits(table, n_classes) for table in tables], is_val, labels), settings)
    except Undefined as reason:
        of = ", ".join(names)
        raise UserError(f"{of}: {settings.method} cannot be fitted on their predictions of val: {reason}") from None
    schema = table_files.predictions_schema(n_classes, ("ood_class",) if "ood_class" in first.column_names else ())
    logits = found.log_probabilities.astype(np.float32)
    column = pa.FixedSizeListArray.from_arrays(logits.ravel(), type=schema.field("logits").type)
    table = first.set_column(first.schema.get_field_index("logits"), schema.field("logits"), column)
    return table.select(schema.names), found


def _matched(table: pa.Table, first: pa.Table, names: tuple[str, str]) -> pa.Table:
    """Return a table with its rows in the order of the first's images; names: of it and of the first.

    Raises UserError if they are of others.
    """
    name, other = names
    if not all(table[key].equals(first[key]) for key in ("split", "image_id")):
        keys, wanted = (
            list(zip(t["split"].to_pylist(), t["image_id"].to_pylist(), strict=True)) for t in (table, first)
        )
        places = {key: row for row, key in enumerate(keys)}
        if alone := [*(places.keys() ^ {*wanted})]:
            split, image = min(alone, key=str)
            where = (name, other) if (split, image) in places else (other, name)
            what = f"has image_id {image} of {split}, which {where[1]} has not"
            raise UserError(f"{where[0]}: {what}; members must be of the same images")
        for of, each in ((name, keys), (other, wanted)):
            if len({*each}) < len(each):
                raise UserError(f"{of}: has an image twice; give each one row")
        table = table.take([places[key] for key in wanted])
    if not table["label"].equals(first["label"]):
        raise UserError(f"{name}: its labels are not those of {other}; give both the same labels, or run both again")
    return table


def _logits(table: pa.Table, n_classes: int) -> np.ndarray:
    return table["logits"].combine_chunks().flatten().to_numpy().reshape(-1, n_classes)
