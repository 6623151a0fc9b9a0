"""From predictions to summaries: all that metrics need of one score on one split.

Scores with something to fit are fitted on `val`. Splits named `ood-*` are out of distribution and are told apart
from `test`; every other split is labelled. Where a thing cannot be had, an `Undefined` stands in its place and is
handed on by `attempt`, to the row of the metrics table where it ends.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from selfdoubt.evaluation.calibration import Bins, ClassGaps, Rising, bin_gaps, in_rising_order
from selfdoubt.evaluation.class_ood import SeverityLevels, severity_levels
from selfdoubt.evaluation.rankings import Ranking, rank, rank_equal, rank_ood
from selfdoubt.evaluation.scores import AS_DEFINED, FITTED, PROBABILITY_SCORES, SCORES, SIGNALS, temperature_of
from selfdoubt.evaluation.softmax import Softmax, each_block, first_fault
from selfdoubt.evaluation.undefined import Undefined
from selfdoubt.runtime import schemas
from selfdoubt.runtime.threads import cached_property


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a model said of the images of one split."""

    logits: np.ndarray  # float (n, C)
    labels: np.ndarray  # int (n,), -1 where out of distribution
    predicted: np.ndarray | None = None  # int (n,), where the reported label is not the argmax of the logits
    ood_classes: np.ndarray | None = None  # int (n,), classes of out-of-distribution images, where they are known
    signals: dict[str, np.ndarray] | None = None  # column -> (n,), what scores are read from instead of logits
    of_probabilities: bool = False  # whether the logits are known to be logarithms of probabilities

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
    class_gaps: ClassGaps
    n_bins: int  # equal-width or equal-mass
    source: "Calibration | None" = None  # where resampled: of what
    weights: np.ndarray | None = None  # (n_resamples, n), by which

    @cached_property
    def bins(self) -> Bins:
        """The samples by bin of the largest probability."""
        if self.source is None:
            return bin_gaps(self.top, self.correct, self.n_bins)
        return self.source.bins.resampled(self.weights)

    @cached_property
    def rising(self) -> Rising:
        """The samples in order of the largest probability."""
        if self.source is None:
            return in_rising_order(self.top, self.correct)
        return self.source.rising.resampled(self.weights)

    def resampled(self, weights: np.ndarray) -> "Calibration":
        """Return the calibration of resamples; weights: (n_resamples, n) counts."""
        return replace(self, source=self, weights=weights)


NORMALISED = 1e-3  # what probabilities of a row may miss of a sum of 1, and their logarithms of an energy of 0

OF_LOGITS_ALONE = {  # scores that the size of logits decides, which logarithms of probabilities have lost
    "energy": "the logits are logarithms of probabilities, whose energy is 0",
    "max-logit": "the logits are logarithms of probabilities, whose largest is msp itself",
}

Summary = Ranking | Calibration | SeverityLevels
Key = tuple[str, str]  # score, kind of summary


def predictions_by_split(table: pa.Table) -> dict[str, Predictions]:
    """Return the predictions of each split of a predictions table, in order of appearance."""
    logits = table.column("logits").combine_chunks()
    numbers = logits.flatten().to_numpy().reshape(len(logits), logits.type.list_size)
    names = ("label", "predicted", "ood_class", *SIGNALS.values())
    columns = {name: table.column(name).to_numpy() for name in names if name in table.column_names}
    split = table.column("split").combine_chunks().dictionary_encode()
    codes = split.indices.to_numpy()
    of_probabilities = schemas.LOG_PROBABILITIES.items() <= schemas.metadata_of(table.schema).items()
    found = {}
    for code, name in enumerate(split.dictionary.to_pylist()):
        at = np.flatnonzero(codes == code)
        rows = slice(at[0], at[-1] + 1) if at[-1] - at[0] + 1 == len(at) else at  # a slice copies nothing
        own = {column: values[rows] for column, values in columns.items()}
        signals = {column: own[column] for column in SIGNALS.values() if column in own}
        labels = own["label"].astype(np.int64)
        further = own.get("predicted"), own.get("ood_class"), signals, of_probabilities
        found[name] = Predictions(numbers[rows], labels, *further)
    return found


def is_ood(split: str) -> bool:
    """Return whether a split is out of distribution."""
    return split.startswith("ood-")


def needed_splits(split: str) -> list[str]:
    """Return the splits that a metric of `split` looks at, in the order in which it does."""
    return ["test", split] if is_ood(split) else [split]


def attempt(function: Callable, *inputs):
    """Return function(*inputs), or the Undefined that it raises or is handed."""
    for value in inputs:
        if isinstance(value, Undefined):
            return value
    try:
        return function(*inputs)
    except Undefined as reason:
        return reason.with_traceback(None)  # whose frames would keep the logits in memory


@dataclass(frozen=True, eq=False)
class Reading:
    """What is known of the rows of one split; an Undefined stands where a thing could not be had."""

    correct: np.ndarray | Undefined  # (n,)
    confidence: dict[str, np.ndarray | Undefined]  # of each score, (n,)
    calibration: dict[str, Calibration | Undefined]


def fit_scores(predictions: dict[str, Predictions], scores: list[str]) -> dict[str, Callable | Undefined]:
    """Return each score that is made of logits, fitted on `val`, or why it could not be fitted."""
    val = predictions.get("val", Predictions(np.empty((0, 2)), np.empty(0, dtype=np.int64)))
    return {name: attempt(SCORES[name], val.logits, val.labels, val.correct) for name in scores if name in SCORES}


def chosen_on_val(fitted: dict[str, Callable | Undefined]) -> dict[str, dict]:
    """Return what was chosen on `val` for each score that could be fitted: a temperature, p, or `msp` in its place."""
    found = {name: fitted[name] for name in FITTED if not isinstance(fitted.get(name, Undefined()), Undefined)}
    return {name: getattr(score, "keywords", {"score": "msp"}) for name, score in found.items()}


def read(predictions: dict[str, Predictions], split: str, scores: list[str], fitted: dict, n_bins: int) -> Reading:
    """Read the logits of a split once, for all scores; fitted: what `fit_scores` returned."""
    sample = predictions.get(split)
    if sample is None or len(sample.labels) == 0:
        nothing = Undefined(f"no samples in {split}")
        return Reading(nothing, dict.fromkeys(scores, nothing), dict.fromkeys(scores, nothing))
    known = {name: score for name, score in fitted.items() if not isinstance(score, Undefined)}
    promising = [] if is_ood(split) else [name for name in known if name in PROBABILITY_SCORES]
    parts = attempt(_read_blocks, sample, split, known, promising, n_bins)
    if isinstance(parts, Undefined):
        return Reading(parts, dict.fromkeys(scores, parts), dict.fromkeys(scores, parts))
    confidence, calibration, label = parts
    if sample.of_probabilities or _sum_to_one(sample.logits):
        confidence |= {name: Undefined(reason) for name, reason in OF_LOGITS_ALONE.items() if name in confidence}
    correct = sample.labels == (label if sample.predicted is None else sample.predicted)
    calibration = {name: replace(found, correct=correct) for name, found in calibration.items()}
    signals = {name: attempt(signal_of, sample, split, name) for name in scores if name in SIGNALS}
    return Reading(correct, fitted | signals | confidence, fitted | calibration)


def _sum_to_one(logits: np.ndarray) -> bool:
    """Return whether all rows are logarithms of probabilities, where the file does not say so."""

    def missed(rows: slice, softmax: Softmax) -> float:
        return np.abs(softmax.top + np.log1p(softmax.rest)).max()

    return all(max(each_block(part, missed)) < NORMALISED for part in (logits[:1], logits))  # mostly one row tells


def _read_blocks(sample: Predictions, split: str, scores: dict, promising: list[str], n_bins: int) -> tuple:
    """Return the confidence of each score, the calibration of the promising ones and the class of the top logit."""
    n, n_classes = sample.logits.shape
    if n_classes < 2:
        raise Undefined(f"{split}: fewer than two classes")
    labels = None if is_ood(split) else sample.labels
    confidence, top_class = {name: np.empty(n) for name in scores}, np.empty(n, dtype=np.int64)
    calibration = {
        name: Calibration(np.empty(n), sample.labels, np.empty(n), np.empty(n), ClassGaps(n_classes, n_bins), n_bins)
        for name in promising
    }

    def read_block(rows: slice, softmax: Softmax) -> list[ClassGaps]:
        """Fill the arrays; what is added up comes back, so that it is added in the order of the blocks."""
        if fault := first_fault(sample.logits[rows], None if labels is None else labels[rows], rows.start):
            raise Undefined(f"{split}: {fault}")
        top_class[rows] = softmax.label
        for name, score in scores.items():
            confidence[name][rows] = score(softmax)
        tempered = {name: softmax.at(temperature_of(scores[name])) for name in calibration}
        return [_fill(found, rows, tempered[name], labels[rows]) for name, found in calibration.items()]

    for gaps in each_block(sample.logits, read_block):
        for found, part in zip(calibration.values(), gaps, strict=True):
            found.class_gaps.merge(part)
    return confidence, calibration, top_class


def _fill(calibration: Calibration, rows: slice, softmax: Softmax, labels: np.ndarray) -> ClassGaps:
    calibration.top[rows] = softmax.max_probability()
    calibration.log_probability[rows] = softmax.log_probability(labels)
    calibration.squared_error[rows] = softmax.squared_error(labels)
    gaps = ClassGaps(calibration.class_gaps.n_classes, calibration.n_bins)
    gaps.add(softmax.summed_probabilities(), labels, *softmax.probabilities_above(1 / calibration.n_bins))
    return gaps


def signal_of(sample: Predictions, split: str, score: str) -> np.ndarray:
    """Return the confidences (n,) of a score that is a column; raises Undefined where it is none, or not finite."""
    values = (sample.signals or {}).get(SIGNALS[score])
    if values is None:
        raise Undefined(f"no column '{SIGNALS[score]}': the model has no dropout, or made no stochastic passes")
    if not np.isfinite(values).all():
        raise Undefined(f"{split}: row {np.isfinite(values).argmin()} has a {SIGNALS[score]} that is not finite")
    return values.astype(np.float64)


def summarise(
    predictions: dict[str, Predictions], split: str, readings: dict[str, Reading], scores: list[str]
) -> dict[Key, Summary | Undefined]:
    """Return the summary of each (score, kind) of a split, or why there is none; readings: of all splits needed."""
    confidence, correct = readings[split].confidence, readings[split].correct
    found = {}
    if is_ood(split):
        inside = readings["test"].confidence
        for score in scores:
            found[score, "ood"] = attempt(rank_ood, inside[score], confidence[score])
            classes = attempt(_ood_classes, predictions, split)
            found[score, "class-ood"] = attempt(_by_class, inside[score], confidence[score], classes, score)
        return found
    found["none", "accuracy"] = attempt(rank_equal, correct)
    for score in scores:
        found[score, "ranking"] = attempt(rank, confidence[score], correct)
        if score in PROBABILITY_SCORES:
            found[score, "calibration"] = readings[split].calibration[score]
    return found


def _ood_classes(predictions: dict[str, Predictions], split: str) -> tuple[np.ndarray, int]:
    """Return the classes of the images of a split, and how many classes the model knows."""
    sample = predictions[split]
    if sample.ood_classes is None or (sample.ood_classes < 0).any():
        raise Undefined(f"{split}: the classes of its images are not known")
    return sample.ood_classes, sample.logits.shape[1]


def _by_class(inside: np.ndarray, outside: np.ndarray, classes: tuple[np.ndarray, int], score: str) -> SeverityLevels:
    return severity_levels(inside, outside, *classes, AS_DEFINED[score](outside) if score in AS_DEFINED else None)
