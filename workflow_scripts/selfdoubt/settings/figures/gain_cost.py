"""Settings of the figure of gains of AURC against passes."""

from typing import ClassVar, Literal

from selfdoubt.settings.analysis import Score
from selfdoubt.settings.bases import FigureOfArms
from selfdoubt.settings.types import ArmText


class Settings(FigureOfArms):
    reads: ClassVar = ("metrics", "enhancements", "groups")
    kind: Literal["gain-cost"]
    reference: ArmText  # whose AURC is lowered, such as a clean model
    baselines: list[ArmText] = []  # the strongest of which, and the reference, at each cost is a line
    split: str  # a labelled one; passes are those of test
    score: Score

    def named_arms(self) -> list[tuple[str, str]]:
        baselines = [("baselines", arm) for arm in self.baselines]
        return [("reference", self.reference), *super().named_arms(), *baselines]
