"""Settings of images that are mixed, with their labels."""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.bases import Figure
from selfdoubt.settings.choices import check_all_known
from selfdoubt.settings.types import Name


class Settings(Figure):
    reads: ClassVar = ("examples", "counts")
    needs: ClassVar = ("labels", "source")
    kind: Literal["mixed-examples"]
    models: list[Name] = Field(min_length=1)  # of augmented, a row each
    n_images: Annotated[int, Field(ge=1, le=8)]  # pairs of train, a group of columns each

    def shown_arms(self, study) -> list[str]:
        return self.models

    def checks(self, place: str, study) -> Iterator[tuple]:
        yield from check_all_known(f"{place}.models", self.models, study.augmented, "one of augmented")
        yield _check_in_memory, place, self.dataset, study


def _check_in_memory(place: str, dataset: str, study) -> None:
    if dataset in study.datasets and study.datasets[dataset].storage == "files":
        raise UserError(f"config: {place}: needs images in memory; set datasets.{dataset}.storage to arrays")
