"""Settings of a metric over the number of training images."""

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.analysis import Metric, Score
from selfdoubt.settings.bases import FigureOfArms
from selfdoubt.settings.choices import check_all_known
from selfdoubt.settings.types import Name


class Settings(FigureOfArms):
    reads: ClassVar = ("metrics",)
    needs: ClassVar = ("labels", "looks", "doses")
    kind: Literal["data-dose"]
    datasets: list[Name] = Field(min_length=2)  # of which each has another number of training images
    metric: Metric
    score: Literal[Score, "none"]
    split: str

    def checks(self, place: str, study) -> Iterator[tuple]:
        yield from check_all_known(f"{place}.datasets", self.datasets, study.datasets, "a data set")
        yield _check_doses, f"{place}.datasets", self.datasets, study


def _check_doses(place: str, datasets: list[str], study) -> None:
    seen = {}
    for name in [name for name in datasets if name in study.datasets]:
        dose = getattr(study.datasets[name], "train_images_per_replicate", None)
        if dose is None:
            raise UserError(f"config: {place}: '{name}' has no train_images_per_replicate; set it, or leave it out")
        if dose in seen:
            raise UserError(f"config: {place}: '{name}' has as many images as '{seen[dose]}'; leave one out")
        seen[dose] = name
