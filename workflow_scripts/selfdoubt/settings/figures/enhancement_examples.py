"""Settings of images before and after enhancers."""

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.bases import Figure
from selfdoubt.settings.choices import check_replicate
from selfdoubt.settings.types import Count, Name, Replicate


class Settings(Figure):
    reads: ClassVar = ("examples",)
    needs: ClassVar = ("labels",)
    kind: Literal["enhancement-examples"]
    model: Name  # whose inputs are shown
    replicate: Replicate | None = None  # None: the first
    enhancers: list[Name] = Field(min_length=1)  # of the model, a group of columns each
    n_images: Count  # of test, a row each

    def named_arms(self) -> list[tuple[str, str]]:
        return [("enhancers", f"{self.model}/{enhancer}") for enhancer in self.enhancers]

    def checks(self, place: str, study) -> Iterator[tuple]:
        if self.replicate is not None:
            yield check_replicate, f"{place}.replicate", self.replicate, study
        for enhancer in self.enhancers:
            yield _check_changes_images, f"{place}.enhancers", enhancer, study


def _check_changes_images(place: str, enhancer: str, study) -> None:
    if enhancer in study.enhancers and not study.enhancers[enhancer].changes_images:
        raise UserError(f"config: {place}: '{enhancer}' changes no image; remove it")
