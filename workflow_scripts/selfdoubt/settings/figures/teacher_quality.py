"""Settings of the figure of students' metrics over those of their teachers."""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from selfdoubt.settings.bases import FigureOfArms
from selfdoubt.settings.choices import check_known

# target-: of the teacher with the factor of the student's `target_transform`
OfTeacher = Literal["accuracy", "auroc", "ece", "entropy", "target-ece", "target-entropy"]


class Settings(FigureOfArms):
    reads: ClassVar = ("fidelity",)
    kind: Literal["teacher-quality"]
    split: Literal["val", "test"]
    teacher_metrics: Annotated[list[OfTeacher], Field(min_length=1)]  # a column of panels each
    student_metrics: Annotated[list[Literal["accuracy", "auroc", "aurc"]], Field(min_length=1)]  # a row each

    def checks(self, place: str, study) -> Iterator[tuple]:
        yield from ((check_known, f"{place}.arms", arm, study.students, "a student") for arm in self.arms)
