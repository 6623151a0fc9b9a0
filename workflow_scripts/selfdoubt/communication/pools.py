"""How a group decides from its members' predictions alone; no model is asked.

`COMBINATIONS` maps a method to a function (the members' logits on `val`, their labels, settings) -> Combination.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from selfdoubt.communication.probabilities import log_probabilities, majority_vote, mean_logit, mean_probability
from selfdoubt.communication.stacking import cross_validate, fit_weights, stack
from selfdoubt.evaluation.log_odds import log_odds
from selfdoubt.evaluation.softmax import first_fault, fit_temperature
from selfdoubt.evaluation.undefined import Undefined
from selfdoubt.runtime import schemas
from selfdoubt.runtime.errors import UserError


class Combination(NamedTuple):
    """How to decide, with all that had to be fitted."""

    decide: Callable[[list[np.ndarray]], np.ndarray]  # logits (n, K) of each member -> log probabilities (n, K)
    chosen: dict  # on val, JSON-able
    of_val: np.ndarray | None = None  # log probabilities (n, K) of val, where those of `decide` would flatter


def combine(tables: list[pa.Table], settings) -> tuple[pa.Table, dict]:
    """Return the group's predictions table from its members', and what was chosen on `val`.

    settings: of one of config.yaml's `protocols`. Raises UserError if the tables are not of the same images, or if
    something has to be fitted on `val` and cannot be.
    """
    first, schema = tables[0], tables[0].schema
    for other in tables[1:]:
        if not all(other[key].equals(first[key]) for key in ("split", "image_id", "label")):
            raise UserError("predictions: the members' tables are not of the same images; delete them and run again")
    n_classes = schema.field("logits").type.list_size
    members = [_logits(table, n_classes) for table in tables]
    val = np.array(first["split"].to_pylist()) == "val"
    labels = first["label"].to_numpy()[val].astype(np.int64)
    try:
        combination = COMBINATIONS[settings.method]([member[val] for member in members], labels, settings)
    except Undefined as reason:
        raise UserError(f"predictions: {settings.method} cannot be fitted ({reason}); see the members'") from None
    logits = combination.decide(members).astype(np.float32)
    if combination.of_val is not None:
        logits[val] = combination.of_val
    schema = schemas.predictions_schema(n_classes, ("ood_class",) if "ood_class" in first.column_names else ())
    column = pa.FixedSizeListArray.from_arrays(logits.ravel(), type=schema.field("logits").type)
    table = first.set_column(first.schema.get_field_index("logits"), schema.field("logits"), column)
    return table.select(schema.names), combination.chosen


def _logits(table: pa.Table, n_classes: int) -> np.ndarray:
    return table["logits"].combine_chunks().flatten().to_numpy().reshape(-1, n_classes)


def _as_is(decide: Callable) -> Callable[..., Combination]:
    """Return the function of a method that has nothing to fit."""
    return lambda logits, labels, settings: Combination(decide, {})


def fit_most_confident(logits: list[np.ndarray], labels: np.ndarray, settings) -> Combination:
    """Return `most_confident` with the temperature of each member that minimises its NLL (Guo et al. 2017)."""
    temperatures = [fit_temperature(member, labels) for member in logits]
    return Combination(partial(most_confident, temperatures=temperatures), {"temperatures": temperatures})


def most_confident(logits: list[np.ndarray], temperatures: list[float]) -> np.ndarray:
    """Return what the member with the largest probability says of each image, all at their temperatures.

    The first of equals speaks. Without temperatures the most overconfident member would.
    """
    pairs = list(zip(logits, temperatures, strict=True))
    speaker = np.argmax([log_odds(*pair) for pair in pairs], axis=0)  # (n,), by log-odds
    each = np.stack([log_probabilities(*pair) for pair in pairs])  # (L, n, K)
    return each[speaker, np.arange(each.shape[1])]


def fit_stacking(logits: list[np.ndarray], labels: np.ndarray, settings) -> Combination:
    """Return `stack` with weights fitted on all of `val`, at the penalty chosen there by cross-validation.

    So many weights know the rows that they were fitted on: `val` is answered by those of cross-validation, or what is
    fitted on it next, as a temperature is, would be fitted for a surer model.
    """
    if len(labels) < settings.n_folds:
        raise Undefined(f"{len(labels)} samples in val, and {settings.n_folds} folds")
    for member in logits:
        if fault := first_fault(member, labels):
            raise Undefined(f"val: {fault}")
    penalty, of_val = cross_validate(logits, labels, settings.penalty, settings.n_folds)
    weights = fit_weights(logits, labels, penalty)
    return Combination(partial(stack, weights=weights), {"penalty": penalty}, of_val)


COMBINATIONS = {
    "mean-probability": _as_is(mean_probability),
    "mean-logit": _as_is(mean_logit),
    "majority-vote": _as_is(majority_vote),
    "most-confident": fit_most_confident,
    "stacking": fit_stacking,
}
