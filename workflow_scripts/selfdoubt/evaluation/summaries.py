"""From predictions to summaries: all that metrics need of one score on one split.

Scores are fitted on `val`. Splits named `ood-*` are compared with `test`; every other split is labelled. Where
something cannot be computed, an `Undefined` stands in its place and is handed on by `attempt`, to the row of the
metrics table in which it ends.
"""

from dataclasses import dataclass, replace

import numpy as np

from selfdoubt.evaluation import scoring
from selfdoubt.evaluation.calibration import Calibration, ClassGaps
from selfdoubt.evaluation.class_ood import SeverityLevels, estimation_part, severity_levels
from selfdoubt.evaluation.failures import rank_failures
from selfdoubt.evaluation.predictions import Predictions
from selfdoubt.evaluation.rankings import Ranking, rank, rank_equal, rank_ood
from selfdoubt.evaluation.scoring import Score
from selfdoubt.evaluation.softmax import Softmax, each_block, first_fault
from selfdoubt.evaluation.splits import is_ood, needed_splits, ood_percent
from selfdoubt.evaluation.undefined import Undefined, attempt

NORMALISED = 1e-3  # what probabilities of a row may miss of a sum of 1, and their logarithms of an energy of 0

Summary = Ranking | Calibration | SeverityLevels
Key = tuple[str, str]  # score, kind of summary


@dataclass(frozen=True, eq=False)
class Reading:
    """What is computed of the rows of one split; an Undefined stands where it cannot be."""

    correct: np.ndarray | Undefined  # (n,)
    confidence: dict[str, np.ndarray | Undefined]  # of each score, (n,)
    calibration: dict[str, Calibration | Undefined]


def read(predictions: dict[str, Predictions], split: str, scores: list[str], fitted: dict, n_bins: int) -> Reading:
    """Read the logits of a split once, for all scores; fitted: what `fit_scores` returned."""
    sample = predictions.get(split)
    if sample is None or len(sample.labels) == 0:
        nothing = Undefined(f"no samples in {split}")
        return Reading(nothing, dict.fromkeys(scores, nothing), dict.fromkeys(scores, nothing))
    if sample.logits is None:
        return _read_given(sample, split, scores, n_bins)
    computed = {name: s for name, s in fitted.items() if isinstance(s, Score) and not scoring.is_column(name)}
    parts = attempt(_read_blocks, sample, split, computed, n_bins)
    if isinstance(parts, Undefined):
        return Reading(parts, dict.fromkeys(scores, parts), dict.fromkeys(scores, parts))
    confidence, calibration, top_class = parts
    correct = sample.labels == (top_class if sample.predicted is None else sample.predicted)
    calibration = {name: replace(found, correct=correct) for name, found in calibration.items()}
    not_fitted = {name: reason for name, reason in fitted.items() if isinstance(reason, Undefined)}
    of_columns = [name for name in scores if scoring.is_column(name)]
    columns = {name: attempt(scoring.from_column, sample, split, name, fitted.get(name)) for name in of_columns}
    lost = _lost_by_probabilities(sample, computed)
    return Reading(correct, not_fitted | columns | confidence | lost, not_fitted | calibration)


def _read_given(sample: Predictions, split: str, scores: list[str], n_bins: int) -> Reading:
    """Read predicted classes and confidences, of a model whose logits are not known."""
    confidence = {name: attempt(scoring.given, sample, split, name) for name in scores}

    def calibrated(name: str, top: np.ndarray) -> Calibration:
        if top.min() < 0 or top.max() > 1:
            raise Undefined(f"{name} is no probability: its values reach from {top.min():.4g} to {top.max():.4g}")
        return Calibration(top, sample.correct, None, None, None, n_bins)

    of = [name for name in scores if scoring.defines_probabilities(name)]
    return Reading(sample.correct, confidence, {name: attempt(calibrated, name, confidence[name]) for name in of})


def _lost_by_probabilities(sample: Predictions, scores: dict[str, Score]) -> dict[str, Undefined]:
    """Return why scores that need the size of logits do not exist, where these are logarithms of probabilities."""
    reasons = {name: getattr(score.module, "UNDEFINED_FOR_PROBABILITIES", None) for name, score in scores.items()}
    lost = {name: Undefined(reason) for name, reason in reasons.items() if reason}
    return lost if lost and (sample.of_probabilities or _sum_to_one(sample.logits)) else {}


def _sum_to_one(logits: np.ndarray) -> bool:
    """Return whether all rows are logarithms of probabilities, where the file's metadata does not state it."""

    def missed(rows: slice, softmax: Softmax) -> float:
        return np.abs(softmax.top + np.log1p(softmax.rest)).max()

    return all(max(each_block(part, missed)) < NORMALISED for part in (logits[:1], logits))  # one row mostly decides


def _read_blocks(sample: Predictions, split: str, scores: dict[str, Score], n_bins: int) -> tuple:
    """Return the confidence of each score, the calibration of those that are probabilities, and the top class (n,)."""
    n, n_classes = sample.logits.shape
    if n_classes < 2:
        raise Undefined(f"{split}: fewer than two classes")
    labels, predicted = None if is_ood(split) else sample.labels, sample.predicted
    confidence, top_class = {name: np.empty(n) for name in scores}, np.empty(n, dtype=np.int64)
    calibration = {
        name: Calibration(np.empty(n), sample.labels, np.empty(n), np.empty(n), ClassGaps(n_classes, n_bins), n_bins)
        for name in ([] if is_ood(split) else scores)
        if scoring.defines_probabilities(name)
    }

    def read_block(rows: slice, softmax: Softmax) -> list[ClassGaps]:
        """Fill the arrays; what is added up comes back, so that it is added in the order of the blocks."""
        given = None if labels is None else labels[rows], None if predicted is None else predicted[rows]
        if fault := first_fault(sample.logits[rows], given[0], rows.start, given[1]):
            raise Undefined(f"{split}: {fault}")
        top_class[rows] = softmax.top_class
        for name, score in scores.items():
            confidence[name][rows] = score(softmax)
        probabilities = {name: scores[name].probabilities(softmax) for name in calibration}
        return [_fill(found, rows, probabilities[name], labels[rows]) for name, found in calibration.items()]

    for gaps in each_block(sample.logits, read_block, predicted):
        for found, part in zip(calibration.values(), gaps, strict=True):
            found.class_gaps.merge(part)
    return confidence, calibration, top_class


def _fill(calibration: Calibration, rows: slice, softmax: Softmax, labels: np.ndarray) -> ClassGaps:
    """Fill the rows of a block in; return the gaps of its classes."""
    calibration.top[rows] = softmax.reported_probability()
    calibration.log_probability[rows] = softmax.log_probability(labels)
    calibration.squared_error[rows] = softmax.squared_error(labels)
    gaps = ClassGaps(calibration.class_gaps.n_classes, calibration.n_bins)
    gaps.add(softmax.summed_probabilities(), labels, *softmax.probabilities_above(1 / calibration.n_bins))
    return gaps


def summarise(
    predictions: dict[str, Predictions], split: str, readings: dict[str, Reading], scores: list[str]
) -> dict[Key, Summary | Undefined]:
    """Return the summary of each (score, kind) of a split, or why there is none; readings: of all splits needed."""
    if is_ood(split):
        return _summarise_ood(predictions, split, readings, scores)
    confidence, correct = readings[split].confidence, readings[split].correct
    found = {}
    found["none", "accuracy"] = attempt(rank_equal, correct)
    for score in scores:
        found[score, "ranking"] = attempt(rank, confidence[score], correct)
        if scoring.defines_probabilities(score):
            found[score, "calibration"] = readings[split].calibration[score]
    return found


def _summarise_ood(predictions, split: str, readings: dict[str, Reading], scores: list[str]) -> dict:
    test, outside = (readings[name] for name in needed_splits(split))
    found = {}
    for score in scores:
        both = test.confidence[score], outside.confidence[score]
        if ood_percent(split) is None:
            found[score, "ood"] = attempt(rank_ood, *both)
            classes = attempt(_ood_classes, predictions, split)
            found[score, "class-ood"] = attempt(_by_class, *both, classes, score)
        found[score, "failure"] = attempt(rank_failures, both[0], test.correct, both[1], split)
    return found


def _ood_classes(predictions: dict[str, Predictions], split: str) -> tuple[np.ndarray, int, np.ndarray]:
    """Return the classes of a split's images, how many classes the model has, and which images sort the classes."""
    sample = predictions[split]
    if sample.logits is None:
        raise Undefined("needs the number of classes, which predictions without logits do not have")
    if sample.ood_classes is None or (sample.ood_classes < 0).any():
        raise Undefined(f"{split}: the classes of its images are not known")
    return sample.ood_classes, sample.logits.shape[1], estimation_part(sample.ood_classes)


def _by_class(inside: np.ndarray, outside: np.ndarray, classes: tuple, score: str) -> SeverityLevels:
    module = scoring.load(score)  # logits are known, so it is one of ours
    defined = module.as_defined(outside) if hasattr(module, "as_defined") else None
    return severity_levels(inside, outside, *classes, defined)
