"""Settings of the figure of how models that mix rank their errors, over the error of their labels."""

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from selfdoubt.settings.analysis import Score
from selfdoubt.settings.bases import Figure
from selfdoubt.settings.choices import check_all_known
from selfdoubt.settings.types import Name


class Settings(Figure):
    reads: ClassVar = ("metrics", "mixed_labels")
    needs: ClassVar = ("labels", "looks")
    kind: Literal["label-error"]
    models: list[Name] = Field(min_length=3)  # of augmented
    split: str
    score: Score

    def shown_arms(self, study) -> list[str]:
        return self.models

    def checks(self, place: str, study) -> Iterator[tuple]:
        yield from check_all_known(f"{place}.models", self.models, study.augmented, "one of augmented")
