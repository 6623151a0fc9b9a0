"""From predictions to rows of the metrics table, and to the comparison of two arms.

Scores with something to fit are fitted on `val`. Splits named `ood-*` are out of distribution and are told
apart from `test`; every other split is labelled and gets the ID metrics. Where a number does not exist the
row has no value but a reason: `_attempt` hands an `Undefined` on as a value, to the row where it ends.

A summary is what metrics need of one score on one split: a `metrics.Ranking` or a `Calibration`.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa

from selfdoubt.errors import UserError
from selfdoubt.metrics import METRICS, Ranking, Undefined, class_gaps, metric, rank, squared_error
from selfdoubt.randomness import generator
from selfdoubt.scores import PROBABILITY_SCORES, SCORES, Softmax, first_fault, softmax_blocks, temperature_of
from selfdoubt.statistics import Arm, paired_comparison, percentile_interval, resample_weights, resamples_at_once


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a model said of the images of one split."""

    logits: np.ndarray  # float (n, C)
    labels: np.ndarray  # int (n,), -1 where out of distribution
    predicted: np.ndarray | None = None  # int (n,), where the reported label is not the argmax of the logits

    @cached_property
    def correct(self) -> np.ndarray:
        """(n,) bool: whether the reported label is the true one."""
        return self.labels == (self.logits.argmax(-1) if self.predicted is None else self.predicted)


@dataclass(frozen=True, eq=False)
class Calibration:
    """What the probabilities of one score promise on one split, and what came true."""

    top: np.ndarray  # (n,) the largest probability
    correct: np.ndarray  # (n,) bool
    log_probability: np.ndarray  # (n,) of the label
    squared_error: np.ndarray  # (n,) summed over classes
    class_gaps: np.ndarray  # (C, n_bins)
    weights: np.ndarray | None = None  # (n_resamples, n), where resampled

    @property
    def n_bins(self) -> int:
        """The number of equal-width or equal-mass bins."""
        return self.class_gaps.shape[1]

    def resampled(self, weights: np.ndarray) -> "Calibration":
        """Return the calibration of resamples; weights: (n_resamples, n) counts."""
        return replace(self, weights=np.ascontiguousarray(weights.T, dtype=np.float64).T)


Summary = Ranking | Calibration
Key = tuple[str, str]  # score, kind of summary


def predictions_by_split(table: pa.Table) -> dict[str, Predictions]:
    """Return the predictions of each split of a predictions table, in order of appearance."""
    logits = table.column("logits").combine_chunks()
    numbers = logits.flatten().to_numpy().reshape(len(logits), logits.type.list_size)
    labels = table.column("label").to_numpy().astype(np.int64)
    predicted = table.column("predicted").to_numpy() if "predicted" in table.column_names else None
    split = table.column("split").combine_chunks().dictionary_encode()
    codes = split.indices.to_numpy()
    found = {}
    for code, name in enumerate(split.dictionary.to_pylist()):
        at = np.flatnonzero(codes == code)
        rows = slice(at[0], at[-1] + 1) if at[-1] - at[0] + 1 == len(at) else at  # a slice copies nothing
        found[name] = Predictions(numbers[rows], labels[rows], None if predicted is None else predicted[rows])
    return found


def evaluate(predictions: dict[str, Predictions], settings, identity: dict) -> list[dict]:
    """Return the rows of the metrics table of one model, seed and variant.

    settings: the `evaluation` section of the config. identity: dataset, name, role, seed and variant.
    """
    fitted = fit_scores(predictions, settings.scores)
    read = {split: _read(predictions, split, fitted, settings.ece_bins) for split in {*predictions, "test"}}
    rows = []
    for split in predictions:
        sizes = _sizes(predictions, split)
        summaries = _summaries(split, read, settings.scores)
        asked_for = split in settings.resampled_splits
        intervals = _intervals(summaries, sizes, settings) if asked_for else {}
        for (score, kind), summary in summaries.items():
            for name in metric_names(kind, settings):
                number = _number(_attempt(metric(name).function, summary), intervals.get((score, name)))
                place = {"split": split, "score": score, "metric": name, "n": sum(sizes.values())}
                rows.append(identity | place | number)
    return rows


def compare(
    arms_by_seed: list[tuple[dict[str, Predictions], dict[str, Predictions]]],
    metric: str,
    score: str,
    split: str,
    n_resamples: int,
    settings,
) -> dict:
    """Compare two arms, better minus than, on one metric of one split.

    arms_by_seed: (better, than) predictions of each seed. Of an ood-* metric the test and the OOD rows are
    resampled separately, so that a resample has as many of each as there are. Returns what
    `statistics.paired_comparison` does, and `reason`: None, or why there are no numbers.
    """
    _check_comparison(arms_by_seed, metric, score, split)
    pairs = [tuple(_attempt(arm, side, metric, score, split, settings) for side in pair) for pair in arms_by_seed]
    missing = [side for pair in pairs for side in pair if isinstance(side, Undefined)]
    if missing:
        nothing = dict.fromkeys(["difference", "low", "high", "p"])
        return nothing | {"n_seeds": len(pairs), "differences": [], "reason": str(missing[0])}
    weights = _weights(_sizes(arms_by_seed[0][0], split), n_resamples)
    seeds = generator(0, "bootstrap/seeds", len(pairs))
    return paired_comparison(pairs, weights, seeds) | {"reason": None}


def arm(predictions: dict[str, Predictions], name: str, score: str, split: str, settings) -> Arm:
    """Return one metric of one score and split, as a value and as a function of resample weights.

    Raises Undefined if the number does not exist.
    """
    found, scores = metric(name), [] if score == "none" else [score]
    fitted = fit_scores(predictions, scores)
    read = {each: _read(predictions, each, fitted, settings.ece_bins) for each in _needed(split)}
    summary = _summaries(split, read, scores)[score, found.of]
    if isinstance(summary, Undefined):
        raise summary
    return Arm(float(found.function(summary)), lambda weights: found.function(summary.resampled(weights)))


def fit_scores(predictions: dict[str, Predictions], scores: list[str]) -> dict[str, Callable | Undefined]:
    """Return each score fitted on `val`, or why it could not be fitted."""
    val = predictions.get("val", Predictions(np.empty((0, 2)), np.empty(0, dtype=np.int64)))
    return {name: _attempt(SCORES[name], val.logits, val.labels, val.correct) for name in scores}


def metric_names(kind: str, settings) -> list[str]:
    """Return the names of all metrics of one kind of summary, at the percentages of the settings."""
    names = [name for name, found in METRICS.items() if found.of == kind]
    if kind == "ranking":
        names += [f"coverage-at-sac-{percent:g}" for percent in settings.selective_accuracies_percent]
        names += [f"risk-at-coverage-{percent:g}" for percent in settings.coverages_percent]
    return names


# ---- summaries ----


@dataclass(frozen=True, eq=False)
class _Read:
    """What is known of the rows of one split; an Undefined stands where a thing could not be had."""

    correct: np.ndarray | Undefined  # (n,)
    confidence: dict[str, np.ndarray | Undefined]  # of each score, (n,)
    calibration: dict[str, Calibration | Undefined]


def _read(predictions: dict[str, Predictions], split: str, fitted: dict, n_bins: int) -> _Read:
    """Read the logits of a split once, for all scores."""
    sample = _attempt(_checked, predictions, split)
    if isinstance(sample, Undefined):
        return _Read(sample, dict.fromkeys(fitted, sample), dict.fromkeys(fitted, sample))
    confidence, calibration = dict(fitted), {name: fitted[name] for name in PROBABILITY_SCORES if name in fitted}
    scores = {name: score for name, score in fitted.items() if not isinstance(score, Undefined)}
    for name in scores:
        confidence[name] = np.empty(len(sample.labels))
    tempered = {} if _is_ood(split) else {name: temperature_of(scores[name]) for name in calibration if name in scores}
    for name in tempered:
        calibration[name] = _blank_calibration(sample, n_bins)
    for rows, softmax in softmax_blocks(sample.logits):
        for name, score in scores.items():
            confidence[name][rows] = score(softmax)
        for name, temperature in tempered.items():
            _fill(calibration[name], rows, softmax.at(temperature), sample.labels[rows])
    return _Read(sample.correct, confidence, calibration)


def _blank_calibration(sample: Predictions, n_bins: int) -> Calibration:
    n, n_classes = sample.logits.shape
    return Calibration(np.empty(n), sample.correct, np.empty(n), np.empty(n), np.zeros((n_classes, n_bins)))


def _fill(calibration: Calibration, rows: slice, softmax: Softmax, labels: np.ndarray) -> None:
    probabilities = softmax.probabilities()
    calibration.top[rows] = softmax.max_probability()
    calibration.log_probability[rows] = softmax.log_probability(labels)
    calibration.squared_error[rows] = squared_error(probabilities, labels)
    calibration.class_gaps[:] += class_gaps(probabilities, labels, calibration.n_bins)


def _summaries(split: str, read: dict[str, _Read], scores: list[str]) -> dict[Key, Summary | Undefined]:
    """Return the summary of each (score, kind) of a split, or why there is none."""
    confidence, correct = read[split].confidence, read[split].correct
    if _is_ood(split):
        inside = read["test"].confidence
        return {(score, "ood"): _attempt(_rank_ood, inside[score], confidence[score]) for score in scores}
    found = {("none", "accuracy"): _attempt(_rank_equal, correct)}
    for score in scores:
        found[score, "ranking"] = _attempt(rank, confidence[score], correct)
        if score in PROBABILITY_SCORES:
            found[score, "calibration"] = read[split].calibration[score]
    return found


def _rank_equal(correct: np.ndarray) -> Ranking:
    return rank(np.zeros(len(correct)), correct)


def _rank_ood(inside: np.ndarray, outside: np.ndarray) -> Ranking:
    return rank(np.concatenate([inside, outside]), np.arange(len(inside) + len(outside)) < len(inside))


def _checked(predictions: dict[str, Predictions], split: str) -> Predictions:
    sample = predictions.get(split)
    if sample is None or len(sample.labels) == 0:
        raise Undefined(f"no samples in {split}")
    if fault := first_fault(sample.logits, None if _is_ood(split) else sample.labels):
        raise Undefined(f"{split}: {fault}")
    return sample


def _is_ood(split: str) -> bool:
    return split.startswith("ood-")


def _sizes(predictions, split: str) -> dict[str, int]:
    """Return the number of rows of each split that a metric of `split` looks at, in the order it does."""
    return {name: len(predictions[name].labels) for name in _needed(split) if name in predictions}


def _needed(split: str) -> list[str]:
    return ["test", split] if _is_ood(split) else [split]


# ---- resamples ----


def _weights(sizes: dict[str, int], n_resamples: int) -> Iterator[np.ndarray]:
    """Yield chunks (n_resamples, n) of weights, each split resampled by itself; the same for every model."""
    chunk = resamples_at_once(sum(sizes.values()))
    streams = [
        resample_weights(n, n_resamples, generator(0, f"bootstrap/{split}", n), chunk) for split, n in sizes.items()
    ]
    for parts in zip(*streams, strict=True):
        yield np.concatenate([part.T for part in parts], dtype=np.float32).T


def _intervals(summaries: dict, sizes: dict[str, int], settings) -> dict[tuple[str, str], tuple]:
    """Return the 95 % interval of each (score, metric) that has a form for resamples."""
    values = defaultdict(list)
    known = {key: summary for key, summary in summaries.items() if not isinstance(summary, Undefined)}
    functions = {kind: _resampled_functions(kind, settings) for _, kind in known}
    for weights in _weights(sizes, settings.n_resamples) if known else []:
        for (score, kind), summary in known.items():
            resampled = summary.resampled(weights)
            for name, function in functions[kind].items():
                values[score, name].append(function(resampled))
    return {key: percentile_interval(np.concatenate(parts)) for key, parts in values.items()}


def _resampled_functions(kind: str, settings) -> dict[str, Callable]:
    found = {name: metric(name) for name in metric_names(kind, settings)}
    return {name: each.function for name, each in found.items() if each.resampled}


def _check_comparison(arms_by_seed: list, name: str, score: str, split: str) -> None:
    found = metric(name)
    scores = {"accuracy": ["none"], "calibration": PROBABILITY_SCORES}.get(found.of, SCORES)
    if score not in scores:
        raise UserError(f"{name} does not take the score '{score}'; scores: {', '.join(scores)}")
    if (found.of == "ood") != _is_ood(split):
        raise UserError(f"{name} is not measured on the split '{split}'; ood- metrics and only they take ood- splits")
    if not found.resampled:
        raise UserError(f"{name} has no form for resamples, so two arms cannot be compared on it")
    everyone = [side for pair in arms_by_seed for side in pair]
    for needed in _sizes(everyone[0], split):
        labels = [side[needed].labels if needed in side else [] for side in everyone]
        if not all(np.array_equal(labels[0], other) for other in labels):
            raise UserError(f"{needed}: the arms are not predictions of the same rows; run again from the data on")


# ---- values or reasons ----


def _attempt(function: Callable, *inputs):
    """Return function(*inputs), or the Undefined that it raises or is handed."""
    for value in inputs:
        if isinstance(value, Undefined):
            return value
    try:
        return function(*inputs)
    except Undefined as reason:
        return reason


def _number(value, interval: tuple | None) -> dict:
    if isinstance(value, Undefined):
        return {"value": None, "low": None, "high": None, "reason": str(value)}
    low, high = interval or (None, None)
    return {"value": float(value), "low": low, "high": high, "reason": None}
