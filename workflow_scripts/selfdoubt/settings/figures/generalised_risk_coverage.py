"""Settings of generalised risk-coverage curves."""

from typing import ClassVar, Literal

from selfdoubt.settings.analysis import Score
from selfdoubt.settings.bases import FigureOfArms


class Settings(FigureOfArms):
    reads: ClassVar = ("predictions",)
    kind: Literal["generalised-risk-coverage"]
    split: str
    score: Score
