"""Settings of histograms of the confidence of correct and incorrect predictions."""

from typing import ClassVar, Literal

from selfdoubt.settings.bases import FigureOfArms
from selfdoubt.settings.types import Count


class Settings(FigureOfArms):
    reads: ClassVar = ("predictions",)
    kind: Literal["confidence-histograms"]
    split: str
    n_bins: Count  # of one width, from 0 to 1
