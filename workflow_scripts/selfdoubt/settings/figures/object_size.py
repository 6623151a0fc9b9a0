"""Settings of gains by the size of the object, or by the clutter around it."""

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.analysis import Score
from selfdoubt.settings.bases import FigureOfArms
from selfdoubt.settings.types import ArmText, Count


class Settings(FigureOfArms):
    reads: ClassVar = ("predictions", "images")
    needs: ClassVar = ("labels", "looks", "mask_truth")
    kind: Literal["object-size"]
    arms: list[ArmText] = Field(min_length=2)
    split: Literal["val", "test"]
    score: Score
    by: Literal["size", "clutter"] = "size"  # fraction of the pixels; or how much adjacent ones differ outside of it
    n_bins: Count  # of as many images each

    def checks(self, place: str, study) -> Iterator[tuple]:
        yield _check_mask_truth, place, self.dataset, study


def _check_mask_truth(place: str, dataset: str, study) -> None:
    if dataset in study.datasets and study.datasets[dataset].mask_truth == "none":
        raise UserError(f"config: {place}: sizes of objects need datasets.{dataset}.mask_truth; set it")
