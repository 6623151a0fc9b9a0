"""Settings of AUROC against accuracy."""

from typing import ClassVar, Literal

from selfdoubt.settings.analysis import Score
from selfdoubt.settings.bases import FigureOfArms
from selfdoubt.settings.types import ArmText


class Settings(FigureOfArms):
    reads: ClassVar = ("metrics",)
    kind: Literal["auroc-accuracy"]
    arms: list[ArmText] = []  # none: all of the study's
    split: str
    score: Score

    def shown_arms(self, study) -> list[str]:
        return self.arms or study.arms()
