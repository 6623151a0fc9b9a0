"""Rows of the table of guarantees: thresholds with a bound on the risk, and conformal sets; found on val, seen on test.

Definitions: docs/metrics.md. Where a number does not exist the row has no value but a reason.
"""

from functools import partial

import numpy as np

from selfdoubt.evaluation import conformal, scoring, selection
from selfdoubt.evaluation.predictions import Predictions
from selfdoubt.evaluation.scoring import Score
from selfdoubt.evaluation.softmax import NO_VAL
from selfdoubt.evaluation.summaries import Reading, read
from selfdoubt.evaluation.undefined import Undefined, attempt

_NO_LOGITS = Undefined("needs logits, which the predictions have not")
_OF_SELECTION = ("threshold", "bound", "coverage", "risk", "broken-bounds")
_OF_SETS = ("quantile", "coverage", "size", "size-stratified-coverage")


def evaluate(predictions: dict[str, Predictions], settings, identity: dict) -> list[dict]:
    """Return the rows of one model, replicate and variant.

    settings: the section `evaluation.guarantees` of the config. identity: dataset, name, replicate and variant.
    """
    known = {split: predictions[split] for split in ("val", "test") if split in predictions}
    fitted = scoring.fit_scores(known, settings.scores)
    readings = {split: read(known, split, settings.scores, fitted, 1) for split in ("val", "test")}
    has_logits = all(sample.logits is not None for sample in known.values())
    rows = []
    for name in settings.scores:
        pooled = attempt(selection.pool, *(_part(readings[split], name) for split in ("val", "test")))
        for risk in settings.target_risks:
            own = {"method": "sgr", "score": name, "level": risk}
            rows += [own | row for row in _selected(pooled, risk, name if has_logits else None, settings)]
        if scoring.defines_probabilities(name):
            rows += [{"score": name} | row for row in _conformal(known, fitted.get(name, _NO_LOGITS), settings)]
    return [identity | row for row in rows]


def _part(reading: Reading, name: str) -> tuple | Undefined:
    """Return confidence and correctness of a split, or why they do not exist."""
    return attempt(lambda *both: both, reading.confidence[name], reading.correct)


def _row(quantity: str, value, n: int | None, reason: str | None = None) -> dict:
    if isinstance(value, Undefined):
        value, reason = None, str(value)
    return {"quantity": quantity, "value": None if value is None else float(value), "n": n, "reason": reason}


# ---- selection ----


def _selected(pooled: selection.Pool | Undefined, risk: float, score: str | None, settings) -> list[dict]:
    if isinstance(pooled, Undefined):
        return [_row(quantity, pooled, None) for quantity in _OF_SELECTION]
    n_val, n_test = pooled.n_val, len(pooled.order) - pooled.n_val
    broken = selection.broken_fraction(pooled, risk, settings.delta, settings.n_resplits)
    last = _row("broken-bounds", broken, settings.n_resplits)
    found = attempt(selection.select_on_val, pooled, risk, settings.delta)
    if isinstance(found, Undefined):  # nothing is accepted, which breaks no promise
        none = [_row(quantity, found, n) for quantity, n in (("threshold", n_val), ("bound", n_val))]
        return [*none, _row("coverage", 0.0, n_test, str(found)), _row("risk", found, 0), last]
    accepted, errors = int(found.accepted[0]), int(found.errors[0])
    return [
        _row("threshold", _as_defined(score, pooled.confidence[found.place])[0], n_val),
        _row("bound", found.bound[0], n_val),
        _row("coverage", accepted / n_test, n_test),
        _row("risk", errors / accepted if accepted else Undefined("no image of test is accepted"), accepted),
        last,
    ]


def _as_defined(score: str | None, confidence: np.ndarray) -> np.ndarray:
    """Return a confidence as its score is defined, such as the probability of log-odds; None: as it was given."""
    module = scoring.load(score) if score else None
    return module.as_defined(confidence) if hasattr(module, "as_defined") else confidence


# ---- conformal sets ----


def _conformal(known: dict[str, Predictions], score: Score | Undefined, settings) -> list[dict]:
    keys = [(method, alpha) for method in conformal.METHODS for alpha in settings.alphas]
    val, test = (known.get(split, Undefined(why)) for split, why in (("val", NO_VAL), ("test", "no samples in test")))
    limits = attempt(partial(conformal.quantiles, settings=settings), val, score)
    found = attempt(lambda *inputs: conformal.sets(*inputs[:2], settings, inputs[2]), test, score, limits)
    rows = []
    for method, alpha in keys:
        if isinstance(found, Undefined):
            part = [_row(quantity, found, None) for quantity in _OF_SETS]
        else:
            limit = limits[method, alpha] + (method == "lac")  # which is ranked by -p
            part = _of_sets(*found[method, alpha], limit, len(val.labels), test.logits.shape[1])
        rows += [{"method": method, "level": alpha} | row for row in part]
    return rows


def _of_sets(sizes: np.ndarray, covered: np.ndarray, limit: float, n_val: int, n_classes: int) -> list[dict]:
    n, strata = len(sizes), conformal.by_size(sizes, covered, n_classes)
    too_few = Undefined(f"val has {n_val:,} images, too few for this level, so that sets have all classes")
    least, of = min((value, of) for value, of in strata.values() if value is not None)
    return [
        _row("quantile", too_few if np.isinf(limit) else limit, n_val),
        _row("coverage", covered.mean(), n),
        _row("size", sizes.mean(), n),
        _row("size-stratified-coverage", least, of),
        *(_row(name, *each, None if each[1] else "no set of such a size") for name, each in strata.items()),
    ]
