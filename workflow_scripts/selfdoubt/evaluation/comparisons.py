"""Two arms compared, replicate by replicate: their values of one metric, and how these differ in every resample.

The numbers of an arm are computed once, however many comparisons it is in.
"""

import hashlib
from dataclasses import dataclass

import numpy as np

from selfdoubt.evaluation.contrasts import Contrast, Estimate, contrast, effect_size, identical, undistinguished
from selfdoubt.evaluation.metrics import function_of
from selfdoubt.evaluation.predictions import Predictions, id_difference
from selfdoubt.evaluation.resampling import mean_resampled, resample, split_sizes
from selfdoubt.evaluation.scoring import defines_probabilities, fit_scores
from selfdoubt.evaluation.splits import is_ood, mean_splits, needed_splits
from selfdoubt.evaluation.summaries import read, summarise
from selfdoubt.evaluation.undefined import Undefined, attempt
from selfdoubt.runtime.errors import UserError
from selfdoubt.runtime.schemas.comparisons import IDENTICAL, UNDISTINGUISHED
from selfdoubt.settings.metrics import metric, takes_split

Quantity = tuple[str, str, str]  # metric, score, split
SINGLE = "there is one image of a kind that the metric sets apart, and nothing is known of how others would differ"
_NO_IMAGES = Predictions(None, np.empty(0, dtype=np.int64))


@dataclass(frozen=True, eq=False)
class Estimates:
    """What was computed of one arm and replicate, and of which images."""

    of: dict[Quantity, Estimate | Undefined]
    images: dict[str, Predictions]  # split -> labels and ids, without logits
    n_correct: dict[str, int]  # of those splits where it is known


def estimate(predictions: dict[str, Predictions], quantities: list[Quantity], n_resamples: int, settings) -> Estimates:
    """Return the value of each quantity, and its values in all resamples, which are the same for every arm.

    settings: has ece_bins. Of an ood-* metric the test and the OOD rows are resampled separately, so that a resample
    has as many of each as there are. Raises UserError for a metric that does not take the score or the split.
    """
    for quantity in quantities:
        _check(*quantity)
    means = mean_splits(predictions)
    members = {
        (name, score, split): [(name, score, m) for m in means.get(split, [split])] for name, score, split in quantities
    }
    plain = list(dict.fromkeys(member for found in members.values() for member in found))
    scores = list(dict.fromkeys(score for _, score, _ in plain if score != "none"))
    fitted = fit_scores(predictions, scores)
    splits = dict.fromkeys(split for *_, split in plain)
    needed = dict.fromkeys(each for split in splits for each in needed_splits(split))
    readings = {split: read(predictions, split, scores, fitted, settings.ece_bins) for split in needed}
    of = {}
    for split in splits:
        pairs = [(name, score) for name, score, where in plain if where == split]
        found = _of_split(predictions, split, pairs, readings, n_resamples)
        of |= {(name, score, split): each for (name, score), each in found.items()}
    images = {split: images_of(predictions[split]) for split in needed if split in predictions}
    correct = {split: reading.correct for split, reading in readings.items()}
    n_correct = {split: int(np.sum(found)) for split, found in correct.items() if not isinstance(found, Undefined)}
    values = {quantity: _mean([of[m] for m in found]) for quantity, found in members.items()}
    return Estimates(values, images, n_correct)


def images_of(sample: Predictions) -> Predictions:
    """Return the labels and ids alone, by which images are known."""
    return Predictions(None, sample.labels, image_ids=sample.image_ids)


def _of_split(predictions, split: str, pairs: list[tuple[str, str]], readings: dict, n_resamples: int) -> dict:
    """Return the estimate, or why there is none, of each (metric, score) of one split."""
    scores = list(dict.fromkeys(score for _, score in pairs if score != "none"))
    if (own := needed_splits(split)[-1]) not in predictions:
        return dict.fromkeys(pairs, Undefined(f"no samples in {own}"))
    summaries = summarise(predictions, split, readings, scores)
    values, functions = {}, {}
    for name, score in pairs:
        key, function = (score, metric(name).kind), function_of(name)
        values[name, score] = attempt(function, summaries[key])
        if not isinstance(values[name, score], Undefined):
            functions.setdefault(key, {})[name] = function
    resampled = resample(
        {key: summaries[key] for key in functions}, functions, split_sizes(predictions, split), n_resamples
    )
    n_images = {key: _n_images(summaries[key], key[1]) for key in functions}
    uses = {key: _used(predictions, split, readings, *key) for key in functions}
    contents = {key: _content(predictions, split, readings, key[1], uses[key]) for key in functions}

    def estimate_of(name: str, score: str) -> Estimate:
        key = score, metric(name).kind
        return Estimate(float(values[name, score]), resampled[score, name], n_images[key], uses[key], contents[key])

    return {
        (name, score): value if isinstance(value, Undefined) else estimate_of(name, score)
        for (name, score), value in values.items()
    }


def _used(predictions, split: str, readings: dict, score: str, kind: str) -> np.ndarray:
    """Return what decides metrics of a kind of each image, float64 (n, columns): whether it is correct, what the score
    gives it. Of an OOD split, those of test stand first.
    """
    own = needed_splits(split)[-1]
    reading = readings[own]
    if kind == "accuracy":
        columns = [reading.correct]
    elif kind == "calibration":
        found = reading.calibration[score]
        columns = [found.top, found.correct, found.log_probability, found.squared_error]
    elif is_ood(split):
        columns = [np.concatenate([readings["test"].confidence[score], reading.confidence[score]])]
        if kind == "failure":
            outside = np.zeros(len(reading.confidence[score]), bool)
            columns.append(np.concatenate([readings["test"].correct, outside]))
    else:
        columns = [reading.confidence[score], reading.correct]
    return np.column_stack([np.asarray(column, np.float64) for column in columns if column is not None])


def _content(predictions, split: str, readings: dict, kind: str, decides: np.ndarray) -> bytes:
    """Return a digest of what metrics of a kind use of each image; of an accuracy, the predicted classes.

    Models that are correct on every image all predict the same, so there their logits count too.
    """
    own = needed_splits(split)[-1]
    reading, sample, used = readings[own], predictions[own], [decides]
    if kind == "accuracy":
        used = [sample.classes]
        if reading.correct.all():
            used += [*(sample.signals or {}).values()] if sample.logits is None else [sample.logits]
    digest = hashlib.blake2b(digest_size=16)
    for values in used:
        if values is not None:
            digest.update(np.ascontiguousarray(values, np.float64).data)
    return digest.digest()


def _n_images(summary, kind: str) -> int:
    """Return on how many images a number rests: a ranking of correct and incorrect ones on the fewer of the two."""
    if kind == "calibration":
        return len(summary.top)
    return summary.n if kind == "accuracy" else int(min(summary.n_errors, summary.n - summary.n_errors)) or summary.n


def _mean(members: list[Estimate | Undefined]) -> Estimate | Undefined:
    missing = [each for each in members if isinstance(each, Undefined)]
    if missing or len(members) == 1:
        return (missing or members)[0]
    value = float(np.mean([each.value for each in members]))
    contents, uses = [each.content for each in members], [each.used for each in members]
    alike = all(used is not None for used in uses) and len({len(used) for used in uses}) == 1  # of the same images
    return Estimate(
        value,
        mean_resampled([each.resampled for each in members]),
        min(each.n_images for each in members),
        np.concatenate(uses, axis=1) if alike else None,
        None if None in contents else b"".join(contents),
    )


@dataclass(frozen=True)
class Compared:
    """Two arms compared on one quantity: a contrast, or the reason why there is none."""

    n: int  # replicates
    contrast: Contrast | None = None
    difference: float | None = None
    reference: float | None = None  # the mean value of the arm that is compared with
    reason: str | None = None
    identical: bool = False  # on every image: there is nothing to compare

    def row(self) -> dict:
        """Return the columns of the table "comparisons" that are numbers."""
        found = self.contrast
        low, high = found.interval() if found else (None, None)
        return {
            "difference": self.difference,
            "low": low,
            "high": high,
            "p": found.p if found else None,
            "standard_error": float(found.error()) if found else None,
            "degrees_of_freedom": float(found.freedom()) if found else None,
            "effect_size": effect_size(list(found.differences)) if found else None,
            "n_replicates": self.n,
            "reason": self.reason,
        }


def compare(pairs: list[tuple[Estimates, Estimates]], quantity: Quantity, overlap: float = 0.0) -> Compared:
    """Compare two arms, better minus than, on one quantity.

    pairs: (better, than) of each replicate. overlap: of the training sets of two replicates, as a fraction. Raises
    UserError if the arms are not predictions of the same rows.
    """
    _check_rows([side for pair in pairs for side in pair], quantity[2])
    return compare_estimates([tuple(side.of[quantity] for side in pair) for pair in pairs], overlap)


def compare_estimates(pairs: list[tuple[Estimate | Undefined, Estimate | Undefined]], overlap: float) -> Compared:
    """Compare two arms by their estimates of one quantity, (better, than) of each replicate."""
    n = len(pairs)
    missing = [side for pair in pairs for side in pair if isinstance(side, Undefined)]
    if missing:
        return Compared(n, reason=str(missing[0]))
    reference = float(np.mean([than.value for _, than in pairs]))
    if identical(pairs):
        return Compared(n, None, 0.0, reference, IDENTICAL, identical=True)
    if undistinguished(pairs):
        return Compared(n, None, 0.0, reference, UNDISTINGUISHED)
    found = contrast(pairs, overlap)
    difference = float(np.mean([better.value - than.value for better, than in pairs]))
    if min(side.n_images for pair in pairs for side in pair) < 2:
        return Compared(n, None, difference, reference, SINGLE)
    if found is None:
        return Compared(n, None, difference, reference, "the number exists in no resample")
    return Compared(n, found, found.difference, reference)


def compare_units(units: list[list[tuple[Estimates, Estimates]]], quantity: Quantity) -> Compared:
    """Compare pairs of arms, each pair by its mean over replicates: pairs of networks take the place of replicates."""
    _check_rows([side for pairs in units for pair in pairs for side in pair], quantity[2])
    means = [tuple(_mean([pair[side].of[quantity] for pair in pairs]) for side in (0, 1)) for pairs in units]
    return compare_estimates(means, 0.0)


def augrc_parts(pairs: list[tuple[Estimates, Estimates]], quantity: Quantity) -> tuple[float | None, float | None]:
    """Return what accuracy and what ranking contribute to a difference of AUGRC, means over replicates.

    With e the error rate, AUGRC = e² / 2 + e (1 - e) (1 - AUROC). The ranking part of a replicate's difference is minus
    the mean of the two e (1 - e) times the difference of AUROC, the accuracy part is the rest. (None, None) for another
    metric, where an AUROC does not exist, and for a mean over splits.
    """
    name, _, split = quantity
    if name != "augrc" or split in mean_splits(pairs[0][0].images):
        return None, None
    wanted = [quantity, *needed_for_parts(quantity)]
    sides = [[[side.of[each] for each in wanted] for side in pair] for pair in pairs]
    if any(isinstance(each, Undefined) for pair in sides for side in pair for each in side):
        return None, None
    values = np.array([[[each.value for each in side] for side in pair] for pair in sides])  # (replicates, 2, 3)
    augrc, accuracy, auroc = np.moveaxis(values, 2, 0)
    ranking = -(accuracy * (1 - accuracy)).mean(1) * (auroc[:, 0] - auroc[:, 1])
    whole = augrc[:, 0] - augrc[:, 1]
    return float((whole - ranking).mean()), float(ranking.mean())


def needed_for_parts(quantity: Quantity) -> list[Quantity]:
    """Return the quantities from which a difference of AUGRC is split into its parts."""
    name, score, split = quantity
    return [("accuracy", "none", split), ("auroc", score, split)] if name == "augrc" else []


def _check(name: str, score: str, split: str) -> None:
    found = metric(name)
    if (score == "none") != (found.kind == "accuracy"):
        raise UserError(f"{name} does not take the score '{score}'; accuracy takes none, every other metric one")
    if found.kind == "calibration" and not defines_probabilities(score):
        raise UserError(f"{name} does not take the score '{score}'; it takes those that are probabilities, as msp")
    if not takes_split(name, split):
        which = "ood- and failure- metrics and only they take ood- splits, failure- metrics those with @ too"
        raise UserError(f"{name} is not computed of the split '{split}'; {which}")
    if not found.resampled:
        raise UserError(f"{name} cannot be computed of resamples, so two arms cannot be compared by it")


def _check_rows(everyone: list[Estimates], split: str) -> None:
    members = mean_splits(everyone[0].images).get(split, [split])
    for needed in dict.fromkeys(each for member in members for each in needed_splits(member)):
        first, *others = [side.images.get(needed, _NO_IMAGES) for side in everyone]
        for other in others:
            if difference := id_difference(first, other):
                raise UserError(f"{needed}: the arms are not predictions of the same images: {difference}")
            if not np.array_equal(first.labels, other.labels):
                raise UserError(f"{needed}: the arms are not predictions of the same rows; run again from the data on")
