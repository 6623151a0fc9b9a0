"""Settings of the figure of what the gaps to a perfect ordering come from."""

from typing import ClassVar, Literal

from selfdoubt.settings.analysis import Percent, Score
from selfdoubt.settings.bases import FigureOfArms


class Settings(FigureOfArms):
    needs: ClassVar = ("labels",)
    reads: ClassVar = ("gaps",)
    kind: Literal["oracle-gap"]
    split: Literal["test"]
    score: Score
    coverage_percent: Percent | None = None  # one of evaluation.coverages_percent; null: the mean over all coverages
