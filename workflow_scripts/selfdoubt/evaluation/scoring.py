"""Confidence scores by name: what is chosen for them on `val`, and their values. Definitions: docs/metrics.md.

A score is a module of `evaluation.scores`; more confident is higher. It is computed from logits,

    score(softmax, **chosen) -> (n,) float64
    fit(val: Predictions) -> chosen                          if something has to be chosen on `val`; JSON-able
    probabilities(softmax, **chosen) -> Softmax              if it is a probability, and so has a calibration
    as_defined(ranked) -> (n,)                               if it is ranked by another number than it is defined by
    UNDEFINED_FOR_PROBABILITIES                              the reason, if it needs the size of logits

or read from a column of the predictions, `COLUMN`; `WITHOUT_COLUMN` is the reason why that may be missing. If such a
score is made of logits too, it has `fit(val, column) -> chosen` and `combine(sample, column, **chosen)`. Where logits
are not known, a score is the confidence of its name that came with the predictions. Several scores that are given the
same `Softmax` share its exponentials. A score of one class is of `softmax.reported`, the label that the predictions
report. Scores that end at 1 are ranked by a logarithm that does not, and what is computed is rounded: so confidences
are tied where they are equal, and nowhere else.
"""

from dataclasses import dataclass, field
from types import ModuleType

import numpy as np

from selfdoubt.evaluation.predictions import Predictions
from selfdoubt.evaluation.softmax import Softmax
from selfdoubt.evaluation.undefined import Undefined, attempt
from selfdoubt.runtime import methods

FOLDER = "evaluation.scores"


@dataclass(frozen=True, eq=False)
class Score:
    """A score with what was chosen for it on `val`."""

    module: ModuleType
    chosen: dict = field(default_factory=dict)

    def __call__(self, softmax: Softmax) -> np.ndarray:
        """Return the confidences, (n,)."""
        return self.module.score(softmax, **self.chosen)

    def probabilities(self, softmax: Softmax) -> Softmax:
        """Return the softmax whose probabilities it stands for."""
        return self.module.probabilities(softmax, **self.chosen)


def load(name: str) -> ModuleType:
    """Return the module of a score."""
    return methods.load(FOLDER, name)


def is_column(name: str) -> bool:
    """Return whether a score is read from a column of the predictions."""
    return hasattr(load(name), "COLUMN")


def is_fitted(name: str) -> bool:
    """Return whether something is chosen for a score on `val`."""
    return hasattr(load(name), "fit")


def is_module(name: str) -> bool:
    """Return whether a score is one of this project's, and not a confidence that came with predictions."""
    return name in methods.names_in(FOLDER)


def defines_probabilities(name: str) -> bool:
    """Return whether a score is a probability, and so has a calibration; one that came with predictions may be."""
    return not is_module(name) or hasattr(load(name), "probabilities")


def fit_scores(predictions: dict[str, Predictions], names: list[str]) -> dict[str, Score | Undefined]:
    """Return each score that is computed from logits, or from them and a column, fitted on `val`, or why it cannot be.

    Nothing is fitted where the logits of some split are not known.
    """
    if any(sample.logits is None for sample in predictions.values()):
        return {}
    val = predictions.get("val", Predictions(np.empty((0, 2)), np.empty(0, dtype=np.int64)))
    return {name: attempt(fit, name, val) for name in names if not is_column(name) or is_fitted(name)}


def fit(name: str, val: Predictions) -> Score:
    """Return a score with what is chosen for it on `val`; raises Undefined where nothing can be chosen."""
    module = load(name)
    if not is_fitted(name):
        return Score(module)
    return Score(module, module.fit(val, _column(val, "val", module)) if is_column(name) else module.fit(val))


def chosen_on_val(fitted: dict[str, Score | Undefined]) -> dict[str, dict]:
    """Return what was chosen on `val`, of each score for which something was: a temperature, p, or `msp` instead."""
    return {name: score.chosen for name, score in fitted.items() if isinstance(score, Score) and score.chosen}


def given(sample: Predictions, split: str, name: str) -> np.ndarray:
    """Return the confidences (n,) that came with predictions without logits; raises Undefined where there are none."""
    values = (sample.signals or {}).get(name)
    if values is None:
        raise Undefined(f"needs logits, or a confidence '{name}', which the predictions have not")
    if not np.isfinite(values).all():
        raise Undefined(f"{split}: row {np.isfinite(values).argmin()} has a {name} that is not finite")
    return values.astype(np.float64)


def from_column(sample: Predictions, split: str, name: str, fitted: Score | None = None) -> np.ndarray:
    """Return the confidences (n,) of a score that is a column, or made of one; fitted: of the latter.

    Raises Undefined where the column is missing or not finite.
    """
    values = _column(sample, split, load(name))
    return fitted.module.combine(sample, values, **fitted.chosen) if fitted else values


def _column(sample: Predictions, split: str, module: ModuleType) -> np.ndarray:
    values = (sample.signals or {}).get(module.COLUMN)
    if values is None:
        raise Undefined(f"no column '{module.COLUMN}': {module.WITHOUT_COLUMN}")
    if not np.isfinite(values).all():
        raise Undefined(f"{split}: row {np.isfinite(values).argmin()} has a {module.COLUMN} that is not finite")
    return values.astype(np.float64)
