"""Checks of `mask_checks`: that what they name exists, and that the true masks are known."""

from collections.abc import Iterator

from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.choices import check_all_known, check_known, check_own_name, check_unique


def check_mask_checks(study) -> Iterator[tuple]:
    """Yield (check, arguments) of all mask checks."""
    for key, check in study.mask_checks.items():
        place = f"mask_checks.{key}"
        yield check_own_name, "mask_checks", key, study, ("hypotheses", "manipulation_checks")
        yield check_known, f"{place}.study", check.study, study.studies, "a study"
        yield check_known, f"{place}.segmenter", check.segmenter, study.segmenters, "a segmenter"
        if check.datasets is not None:
            yield check_unique, f"{place}.datasets", check.datasets
            yield from check_all_known(f"{place}.datasets", check.datasets, study.datasets, "a data set")
        for dataset in check.datasets or ():
            yield _check_truth, place, dataset, study


def datasets_of(check, study) -> list[str]:
    """Return the data sets that a check is about, sorted: if it names none, those whose true masks are known."""
    known = (key for key, dataset in study.datasets.items() if dataset.mask_truth != "none")
    return sorted(known if check.datasets is None else check.datasets)


def _check_truth(place: str, dataset: str, study) -> None:
    if dataset in study.datasets and study.datasets[dataset].mask_truth == "none":
        raise UserError(
            f"config: {place}: the true masks of '{dataset}' are not known; set datasets to those that have them"
        )
