"""From predictions to rows of the table of gaps: parts of an arm's gap to a perfect ordering, by score and coverage."""

import math
from fractions import Fraction

import numpy as np

from selfdoubt.evaluation import oracle_gap
from selfdoubt.evaluation.correctness_model import fitted_order
from selfdoubt.evaluation.predictions import Predictions
from selfdoubt.evaluation.scoring import fit_scores
from selfdoubt.evaluation.summaries import read
from selfdoubt.evaluation.undefined import Undefined, attempt, count

TEMPERATURE = "msp-ts"
_OF_PEOPLE = (*oracle_gap.PARTS, *oracle_gap.BOUNDS, "rest-deviation")
_WITHOUT_LOGITS = "needs logits, which are not known"


def rows_of_gap(predictions: dict[str, Predictions], people: np.ndarray | Undefined, settings) -> list[dict]:
    """Return rows of the table of gaps of one arm on test, without its identity.

    people: (n, K) the fraction of people who gave each class of each test image, or why that is not known.
    settings: scores and coverages_percent.
    """
    names = list(dict.fromkeys([*settings.scores, TEMPERATURE]))
    reading = read(predictions, "test", names, fit_scores(predictions, names), 1)
    others = {
        "mended-by-temperature": reading.confidence[TEMPERATURE],
        "mended-by-logits": attempt(_order_by_logits, predictions),
    }
    of_people = attempt(_agreement, people, predictions)
    others["mended-by-people"] = attempt(lambda found: found[0], of_people)
    rows = []
    for score in settings.scores:
        known = (reading.confidence[score], reading.correct)
        found = {"gap": attempt(_gap, *known), **_parts(known, of_people)}
        found |= {name: attempt(_mended, *known, other) for name, other in others.items()}
        rows += [row | {"score": score} for name, curve in found.items() for row in _rows(name, curve, settings)]
    n = len(predictions["test"].labels) if "test" in predictions else 0
    return [row | {"split": "test", "n": n} for row in rows]


def _gap(confidence: np.ndarray, correct: np.ndarray) -> tuple:
    return _with_mean(oracle_gap.gap(confidence, correct))


def _mended(confidence: np.ndarray, correct: np.ndarray, other: np.ndarray) -> tuple:
    return _with_mean(oracle_gap.gain_of_reordering(confidence, other, correct))


def _parts(known: tuple, of_people: tuple | Undefined) -> dict[str, tuple | Undefined]:
    """Return each part as (curve, area), or why it is not known."""

    def computed(confidence: np.ndarray, correct: np.ndarray, of_people: tuple) -> dict:
        curves = oracle_gap.parts(confidence, correct, *of_people)
        deviation = oracle_gap.rest_deviation(confidence, of_people[0])
        return {name: _with_mean(curve) for name, curve in curves.items()} | {"rest-deviation": deviation}

    found = attempt(computed, *known, of_people)
    return dict.fromkeys(_OF_PEOPLE, found) if isinstance(found, Undefined) else found


def _with_mean(curve: np.ndarray) -> tuple[np.ndarray, float]:
    return curve, float(curve.mean())


def _agreement(people: np.ndarray, predictions: dict[str, Predictions]) -> tuple[np.ndarray, np.ndarray]:
    """Return the fraction of people who gave the predicted class, and who gave the most common one, (n,) each."""
    sample = predictions["test"]
    predicted = sample.classes
    return people[np.arange(len(people)), predicted], people.max(1)


def _order_by_logits(predictions: dict[str, Predictions]) -> np.ndarray:
    test, val = predictions["test"], predictions.get("val")
    count(test.labels)
    if test.logits is None:
        raise Undefined(_WITHOUT_LOGITS)
    if val is None:
        raise Undefined("there is no val to fit a model of correctness on")
    return fitted_order(val.logits, val.correct, test.logits)


def _rows(name: str, found: tuple | Undefined, settings) -> list[dict]:
    """Return the row of the mean over all coverages, whose percentage is None, and one for each coverage."""
    coverages = [None, *settings.coverages_percent]
    if isinstance(found, Undefined):
        return [{"part": name, "coverage_percent": c, "value": None, "reason": str(found)} for c in coverages]
    curve, area = found
    at = [area, *(float(curve[_accepted(c, len(curve)) - 1]) for c in settings.coverages_percent)]
    return [
        {"part": name, "coverage_percent": c, "value": value, "reason": None}
        for c, value in zip(coverages, at, strict=True)
    ]


def _accepted(percent: float, n: int) -> int:
    """Return ceil(n percent / 100) of the decimal digits as written."""
    return math.ceil(n * Fraction(str(percent)) / 100)
