"""Checks that arms, comparisons, hypotheses, figures and labels are of models, metrics and splits that the study has.

Checks are yielded as functions with their arguments, each of which raises UserError, so that all faults are reported at
once.
"""

from collections.abc import Iterator

from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.analysis import SCORES
from selfdoubt.settings.choices import check_known, check_unique
from selfdoubt.settings.metrics import METRICS, split_name


def check_arms_exist(study) -> Iterator[tuple]:
    """Yield the checks that the models and groups of all arms exist."""
    for place, arm in _arms(study):
        yield _check_model_of_arm, place, arm, study


def check_claims(study) -> Iterator[tuple]:
    """Yield all checks of arms, studies, hypotheses, comparisons and figures."""
    for place, arm in _arms(study):
        yield _check_arm, place, arm, study
    for key, text in study.studies.items():
        yield _check_reads_no_labels, f"studies.{key}.reference", text.reference, study
        yield check_unique, f"studies.{key}.arms", text.arms
        yield _check_differs, f"studies.{key}.arms", text.reference, text.arms, "the study's reference"
    for key, hypothesis in study.hypotheses.items():
        place = f"hypotheses.{key}"
        yield check_known, f"{place}.study", hypothesis.study, study.studies, "a study"
        yield _check_differs, f"{place}.than", hypothesis.than, [hypothesis.better], "what is to be better"
        yield _check_reads_no_labels, f"{place}.better", hypothesis.better, study
        yield _check_comparison, place, hypothesis, study
    for i, comparison in enumerate(study.comparisons):
        yield _check_comparison, f"comparisons.{i}", comparison, study
    for key, figure in study.figures.items():
        yield from _check_figure(f"figures.{key}", figure, study)
    yield from _check_labels(study)


def _arms(study) -> Iterator[tuple[str, str]]:
    """Yield each place where the config names arms, with the arm."""
    for key, text in study.studies.items():
        yield f"studies.{key}.reference", text.reference
        yield from ((f"studies.{key}.arms", arm) for arm in text.arms)
    for key, hypothesis in study.hypotheses.items():
        yield f"hypotheses.{key}.better", hypothesis.better
        yield f"hypotheses.{key}.than", hypothesis.than
    for key, figure in study.figures.items():
        yield from ((f"figures.{key}.{at}", arm) for at, arm in figure.named_arms())


def _check_differs(place: str, arm: str, others: list[str], what: str) -> None:
    if arm in others:
        raise UserError(f"config: {place}: '{arm}' is also {what}; name another arm, or remove it")


def _check_figure(place: str, figure, study) -> Iterator[tuple]:
    yield check_known, f"{place}.study", figure.study, study.studies, "a study"
    yield check_known, f"{place}.dataset", figure.dataset, study.datasets, "a data set"
    yield from figure.checks(place, study)


def _check_labels(study) -> Iterator[tuple]:
    for arm in study.labels:
        if arm not in study.groups:
            yield _check_arm, f"labels.{arm}", arm, study
        yield _check_label_differs, arm, study


def _check_label_differs(arm: str, study) -> None:
    """Raise UserError if another arm or group would look like this one in figures and tables."""
    label = study.label(arm)
    for other in [*study.arms(), *study.groups]:
        if other != arm and study.label(other) == label:
            raise UserError(f"config: labels.{arm}: '{label}' is also how '{other}' is shown; choose another")


def _check_comparison(place: str, comparison, study) -> None:
    metric, score, split = comparison.metric, comparison.score, comparison.split
    scores = _scores_of(metric, study)
    if score not in scores:
        raise UserError(f"config: {place}.score: {metric} does not take '{score}'; scores: {', '.join(scores)}")
    check_known(f"{place}.split", split, splits(study), "a split")
    if metric.startswith("ood-") != split.startswith("ood-"):
        needed = "an ood- split" if metric.startswith("ood-") else "a labelled split"
        raise UserError(f"config: {place}.split: '{split}'; {metric} needs {needed}")


def _scores_of(metric: str, study) -> list[str]:
    """Return the scores that a metric can be of: `accuracy` needs none, calibration needs probabilities."""
    kind, scores = METRICS[split_name(metric)[0]].kind, study.evaluation.scores
    if kind == "accuracy":
        return ["none"]
    return [score for score in scores if SCORES[score].defines_probabilities] if kind == "calibration" else scores


def _check_arm(place: str, arm: str, study) -> None:
    _check_model_of_arm(place, arm, study)
    name, _, variant = arm.partition("/")
    if variant or name in study.groups:
        choices = [f"{name}/{key}" for key in study.variants(name) if key != "clean"]
        check_known(place, arm, choices, "an arm")


def _check_model_of_arm(place: str, arm: str, study) -> None:
    check_known(place, arm.partition("/")[0], [*study.models, *study.groups], "a model or a group")


def _check_reads_no_labels(place: str, arm: str, study) -> None:
    if arm in study.upper_bounds():
        raise UserError(f"config: {place}: '{arm}' reads the true labels, so it is no contender; name another")


def splits(study) -> list[str]:
    """Return the splits that metrics are computed on, and those that average over splits."""
    names = ["val", "test"]
    for dataset in study.datasets.values():
        names += [*(f"ood-{name}" for name in dataset.ood), *(f"shifted-{name}" for name in dataset.shifted)]
        if dataset.corruptions:
            c = dataset.corruptions
            names += [f"{name}-{severity}" for name in c.names for severity in [*c.severities, "mean"]]
            names += ["corrupted-mean"]
    return names
