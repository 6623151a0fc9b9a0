"""Settings of the figure of how much of what an attack costs enhancers bring back."""

from typing import ClassVar, Literal

from selfdoubt.settings.analysis import Score
from selfdoubt.settings.bases import FigureOfArms
from selfdoubt.settings.types import ArmText


class Settings(FigureOfArms):
    needs: ClassVar = ("labels",)
    reads: ClassVar = ("metrics",)
    kind: Literal["attack-recovery"]
    clean: ArmText  # whose AURC the attack raises
    attacked: ArmText  # MODEL/ATTACK
    split: str
    score: Score

    def named_arms(self) -> list[tuple[str, str]]:
        return [("clean", self.clean), ("attacked", self.attacked), *super().named_arms()]
