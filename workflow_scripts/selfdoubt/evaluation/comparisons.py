"""Two arms compared, replicate by replicate: their values on one metric, and how these differ in every resample.

The numbers of an arm are made once, however many comparisons it is in.
"""

from dataclasses import dataclass

import numpy as np

from selfdoubt.evaluation.evaluator import mean_resampled, mean_splits, resample, split_sizes
from selfdoubt.evaluation.metrics import metric
from selfdoubt.evaluation.scores import PROBABILITY_SCORES, SCORES, SIGNALS
from selfdoubt.evaluation.statistics import Arm, paired_comparison
from selfdoubt.evaluation.summaries import Predictions, attempt, fit_scores, is_ood, needed_splits, read, summarise
from selfdoubt.evaluation.undefined import Undefined
from selfdoubt.runtime.errors import UserError

Question = tuple[str, str, str]  # metric, score, split


@dataclass(frozen=True, eq=False)
class Answers:
    """What one arm of one replicate is in each question, and the labels that it was judged by."""

    arms: dict[Question, Arm | Undefined]
    labels: dict[str, np.ndarray]  # split -> (n,)


def answer(predictions: dict[str, Predictions], questions: list[Question], n_resamples: int, settings) -> Answers:
    """Return the value of each question, and its values in all resamples, which are the same for every arm.

    settings: has ece_bins. Of an ood-* metric the test and the OOD rows are resampled separately, so that a resample
    has as many of each as there are. Raises UserError for a question that makes no sense.
    """
    for question in questions:
        _check(*question)
    means = mean_splits(predictions)
    members = {
        (name, score, split): [(name, score, m) for m in means.get(split, [split])] for name, score, split in questions
    }
    plain = list(dict.fromkeys(member for found in members.values() for member in found))
    scores = list(dict.fromkeys(score for _, score, _ in plain if score != "none"))
    fitted = fit_scores(predictions, scores)
    splits = dict.fromkeys(split for *_, split in plain)
    needed = dict.fromkeys(each for split in splits for each in needed_splits(split))
    readings = {split: read(predictions, split, scores, fitted, settings.ece_bins) for split in needed}
    arms = {}
    for split in splits:
        pairs = [(name, score) for name, score, where in plain if where == split]
        found = _arms(predictions, split, pairs, readings, n_resamples)
        arms |= {(name, score, split): each for (name, score), each in found.items()}
    labels = {split: predictions[split].labels for split in needed if split in predictions}
    return Answers({question: _mean([arms[m] for m in found]) for question, found in members.items()}, labels)


def _arms(predictions, split: str, pairs: list[tuple[str, str]], readings: dict, n_resamples: int) -> dict:
    """Return the arm, or why there is none, of each (metric, score) of one split."""
    scores = list(dict.fromkeys(score for _, score in pairs if score != "none"))
    if split not in predictions:
        return dict.fromkeys(pairs, Undefined(f"no samples in {split}"))
    summaries = summarise(predictions, split, readings, scores)
    values, functions = {}, {}
    for name, score in pairs:
        key, function = (score, metric(name).of), metric(name).function
        values[name, score] = attempt(function, summaries[key])
        if not isinstance(values[name, score], Undefined):
            functions.setdefault(key, {})[name] = function
    resampled = resample(
        {key: summaries[key] for key in functions}, functions, split_sizes(predictions, split), n_resamples
    )
    return {
        (name, score): value if isinstance(value, Undefined) else Arm(float(value), resampled[score, name])
        for (name, score), value in values.items()
    }


def _mean(arms: list[Arm | Undefined]) -> Arm | Undefined:
    missing = [each for each in arms if isinstance(each, Undefined)]
    if missing or len(arms) == 1:
        return (missing or arms)[0]
    return Arm(float(np.mean([each.value for each in arms])), mean_resampled([each.resampled for each in arms]))


def compare(pairs: list[tuple[Answers, Answers]], question: Question) -> dict:
    """Compare two arms, better minus than, on one question.

    pairs: (better, than) of each replicate. Returns what `statistics.paired_comparison` does, and `reason`: None, or
    why there are no numbers. Raises UserError if the arms are not predictions of the same rows.
    """
    _check_rows([side for pair in pairs for side in pair], question[2])
    arms = [tuple(side.arms[question] for side in pair) for pair in pairs]
    missing = [side for pair in arms for side in pair if isinstance(side, Undefined)]
    if missing:
        nothing = dict.fromkeys(["difference", "low", "high", "p", "effect_size"])
        return nothing | {"n_replicates": len(pairs), "differences": [], "reason": str(missing[0])}
    found = paired_comparison(arms)
    return found | {"reason": None if found["p"] is not None else "the number exists in no resample"}


def _check(name: str, score: str, split: str) -> None:
    found = metric(name)
    scores = {"accuracy": ["none"], "calibration": PROBABILITY_SCORES}.get(found.of, [*SCORES, *SIGNALS])
    if score not in scores:
        raise UserError(f"{name} does not take the score '{score}'; scores: {', '.join(scores)}")
    if name.startswith("ood-") != is_ood(split):
        raise UserError(f"{name} is not measured on the split '{split}'; ood- metrics and only they take ood- splits")
    if not found.resampled:
        raise UserError(f"{name} has no form for resamples, so two arms cannot be compared on it")


def _check_rows(everyone: list[Answers], split: str) -> None:
    members = mean_splits(everyone[0].labels).get(split, [split])
    for needed in dict.fromkeys(each for member in members for each in needed_splits(member)):
        labels = [side.labels.get(needed, []) for side in everyone]
        if not all(np.array_equal(labels[0], other) for other in labels):
            raise UserError(f"{needed}: the arms are not predictions of the same rows; run again from the data on")
