"""Checks of models of which only predictions are known, and of data sets without images."""

from collections.abc import Iterator

from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.analysis import SCORES

_OF_PREDICTIONS = {"predictions", "metrics", "gaps", "comparisons", "hypotheses"}  # what figures may read of them


def check_has_network(place: str, name: str, study) -> None:
    """Raise UserError if only predictions are known of a model."""
    if name in study.predictions and name not in study.models:
        raise UserError(f"config: {place}: needs a network, and of '{name}' only predictions are known; name another")


def check_predictions(study) -> Iterator[tuple]:
    """Yield all checks of the section `predictions`, and of data sets without images."""
    for key in study.datasets:
        if study.without_images(key):
            yield _check_no_networks, key, study
        for name in study.predictions:
            yield _check_ood, name, key, study
    if study.predictions and not study.models:
        yield _check_no_passes, study


def _check_no_networks(dataset: str, study) -> None:
    if study.models:
        name = next(iter(study.models))
        place = f"config: datasets.{dataset}.source: predictions, so it has no images"
        raise UserError(f"{place}, and '{name}' is a network; set it to null, or name images")


def _check_ood(name: str, dataset: str, study) -> None:
    """Raise UserError unless a model has a file of each OOD set of a data set, and no other."""
    given, wanted = study.predictions[name].ood, study.datasets[dataset].ood
    if missing := [ood for ood in wanted if ood not in given]:
        raise UserError(
            f"config: predictions.{name}.ood.{missing[0]}: missing; add a file, as '{dataset}' has this set"
        )
    if more := [ood for ood in given if ood not in wanted]:
        remedy = f"add it to datasets.{dataset}.ood, or remove it"
        raise UserError(f"config: predictions.{name}.ood.{more[0]}: '{dataset}' has no such set; {remedy}")


def _check_no_passes(study) -> None:
    if needing := [score for score in study.evaluation.scores if SCORES[score].needs_dropout_passes]:
        raise UserError(f"config: evaluation.scores: {needing[0]} needs networks, and there are none; remove it")


def check_figure_without_images(place: str, figure, study) -> None:
    """Raise UserError if a figure reads more than predictions of a data set that has nothing else."""
    more = [name for name in figure.reads if name not in _OF_PREDICTIONS]
    if more and figure.dataset in study.datasets and study.without_images(figure.dataset):
        what = f"reads {more[0].replace('_', ' ')}, and '{figure.dataset}' has predictions alone"
        raise UserError(f"config: {place}.kind: {what}; set the figure to null")
