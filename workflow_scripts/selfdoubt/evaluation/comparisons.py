"""Two arms compared, replicate by replicate: their values of one metric, and how these differ in every resample.

The numbers of an arm are computed once, however many comparisons it is in.
"""

from dataclasses import dataclass

import numpy as np

from selfdoubt.evaluation.metrics import function_of
from selfdoubt.evaluation.paired_tests import Estimate, paired_comparison
from selfdoubt.evaluation.predictions import Predictions, id_difference
from selfdoubt.evaluation.resampling import mean_resampled, resample, split_sizes
from selfdoubt.evaluation.scoring import defines_probabilities, fit_scores
from selfdoubt.evaluation.splits import is_ood, mean_splits, needed_splits
from selfdoubt.evaluation.summaries import read, summarise
from selfdoubt.evaluation.undefined import Undefined, attempt
from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.metrics import metric

Quantity = tuple[str, str, str]  # metric, score, split
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
    if split not in predictions:
        return dict.fromkeys(pairs, Undefined(f"no samples in {split}"))
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
    return {
        (name, score): value if isinstance(value, Undefined) else Estimate(float(value), resampled[score, name])
        for (name, score), value in values.items()
    }


def _mean(members: list[Estimate | Undefined]) -> Estimate | Undefined:
    missing = [each for each in members if isinstance(each, Undefined)]
    if missing or len(members) == 1:
        return (missing or members)[0]
    value = float(np.mean([each.value for each in members]))
    return Estimate(value, mean_resampled([each.resampled for each in members]))


def compare(pairs: list[tuple[Estimates, Estimates]], quantity: Quantity) -> dict:
    """Compare two arms, better minus than, on one quantity.

    pairs: (better, than) of each replicate. Returns what `paired_tests.paired_comparison` does, and `reason`: None, or
    why there are no numbers. Raises UserError if the arms are not predictions of the same rows.
    """
    _check_rows([side for pair in pairs for side in pair], quantity[2])
    estimates = [tuple(side.of[quantity] for side in pair) for pair in pairs]
    missing = [side for pair in estimates for side in pair if isinstance(side, Undefined)]
    if missing:
        nothing = dict.fromkeys(["difference", "low", "high", "p", "effect_size"])
        return nothing | {"n_replicates": len(pairs), "differences": [], "reason": str(missing[0])}
    found = paired_comparison(estimates)
    return found | {"reason": None if found["p"] is not None else "the number exists in no resample"}


def _check(name: str, score: str, split: str) -> None:
    found = metric(name)
    if (score == "none") != (found.kind == "accuracy"):
        raise UserError(f"{name} does not take the score '{score}'; accuracy takes none, every other metric one")
    if found.kind == "calibration" and not defines_probabilities(score):
        raise UserError(f"{name} does not take the score '{score}'; it takes those that are probabilities, as msp")
    if name.startswith("ood-") != is_ood(split):
        raise UserError(f"{name} is not computed of the split '{split}'; ood- metrics and only they take ood- splits")
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
