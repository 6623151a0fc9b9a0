"""Settings of the figure that splits differences of AUGRC into accuracy and ranking."""

from typing import ClassVar, Literal

from selfdoubt.settings.analysis import Score
from selfdoubt.settings.bases import FigureOfArms
from selfdoubt.settings.types import ArmText


class Settings(FigureOfArms):
    reads: ClassVar = ("metrics",)
    kind: Literal["accuracy-ranking"]
    reference: ArmText  # with which the arms are compared
    split: str
    score: Score

    def named_arms(self) -> list[tuple[str, str]]:
        return [("reference", self.reference), *super().named_arms()]
