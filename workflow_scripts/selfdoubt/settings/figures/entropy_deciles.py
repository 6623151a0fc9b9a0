"""Settings of the figure of what students gain where their teacher is more or less certain."""

from collections.abc import Iterator
from typing import ClassVar, Literal

from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.bases import FigureOfArms
from selfdoubt.settings.choices import check_known
from selfdoubt.settings.types import ArmText


class Settings(FigureOfArms):
    reads: ClassVar = ("fidelity",)
    kind: Literal["entropy-deciles"]
    reference: ArmText  # of a study of the students
    split: Literal["val", "test"]

    def named_arms(self) -> list[tuple[str, str]]:
        return [("reference", self.reference), *super().named_arms()]

    def checks(self, place: str, study) -> Iterator[tuple]:
        yield from ((check_known, f"{place}.arms", arm, study.students, "a student") for arm in self.arms)
        yield _check_reference, f"{place}.reference", self, study


def _check_reference(place: str, figure: Settings, study) -> None:
    of_study = [text.arms for text in study.studies.values() if text.reference == figure.reference]
    students = [arm for arm in figure.arms if arm in study.students]
    if missing := [arm for arm in students if not any(arm in arms for arms in of_study)]:
        what = f"{figure.reference} is the reference of no study that has {missing[0]} among its arms"
        raise UserError(f"config: {place}: {what}; name such a reference, or add {missing[0]} to that study")
