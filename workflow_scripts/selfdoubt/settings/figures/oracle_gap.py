"""Settings of the figure of what the gaps to a perfect ordering come from."""

from collections.abc import Iterator
from typing import ClassVar, Literal

from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.analysis import Percent, Score
from selfdoubt.settings.bases import FigureOfArms


class Settings(FigureOfArms):
    needs: ClassVar = ("labels",)
    reads: ClassVar = ("gaps",)
    kind: Literal["oracle-gap"]
    split: Literal["test"]
    score: Score
    labels: Literal["given", "people"] = "given"  # of the data set, or drawn from those of people, with a rest to these
    coverage_percent: Percent | None = None  # one of evaluation.coverages_percent; null: the mean over all coverages

    def checks(self, place: str, study) -> Iterator[tuple]:
        wanted = [self.coverage_percent] if self.coverage_percent else []
        yield _check_measured, f"{place}.score", [self.score], "scores", study
        yield _check_measured, f"{place}.coverage_percent", wanted, "coverages_percent", study
        yield _check_labels, f"{place}.labels", self, study


def _check_labels(place: str, figure: Settings, study) -> None:
    dataset = study.datasets.get(figure.dataset)
    if figure.labels == "people" and dataset and not dataset.soft_labels:
        what = f"people, but datasets.{figure.dataset} has no soft_labels"
        raise UserError(f"config: {place}: {what}; name their file there, or write labels: given")


def _check_measured(place: str, wanted: list, key: str, study) -> None:
    known = getattr(study.evaluation, key)
    if missing := [value for value in wanted if value not in known]:
        raise UserError(f"config: {place}: {missing[0]} is not in evaluation.{key}; add it there, or name one of these")
