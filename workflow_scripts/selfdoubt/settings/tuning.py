"""Checks of enhancers that are tuned on an OOD set: that every data set has it, and that nothing tests it."""

from collections.abc import Iterator

from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.claims import arms_on_splits


def check_tuned_on_known(study) -> Iterator[tuple]:
    """Yield the checks that the data sets have the OOD sets that enhancers are tuned on."""
    for key, enhancer in study.enhancers.items():
        if tune_on := getattr(enhancer, "tune_on", None):
            for name in study.datasets:
                yield _check_has_set, f"enhancers.{key}.tune_on", tune_on, name, study


def _check_has_set(place: str, tune_on: str, dataset: str, study) -> None:
    ood = tune_on.removeprefix("ood-")
    if ood not in study.datasets[dataset].ood:
        raise UserError(
            f"config: {place}: '{tune_on}': '{dataset}' has no such set; add {ood} to datasets.{dataset}.ood"
        )


def check_not_tested(study) -> Iterator[tuple]:
    """Yield the checks that no number is asked for of an arm on the OOD set that it is tuned on."""
    for tested in arms_on_splits(study):
        yield _check_not_tuned, *tested, study
    compared = [arm for text in study.studies.values() for arm in (text.reference, *text.arms)]
    for i, comparison in enumerate(study.comparisons):
        yield _check_not_tuned, f"comparisons.{i}", comparison.split, compared, study


def _check_not_tuned(place: str, split: str, arms: list[str], study) -> None:
    if tuned := [arm for arm in arms if study.tuned_on(arm) == split]:
        remedy = f"name another split, or tune '{tuned[0].partition('/')[2]}' on another set"
        raise UserError(f"config: {place}.split: '{split}', but '{tuned[0]}' is tuned on it; {remedy}")
