"""Settings of CutMix with the label weights of mask-cutmix, its control."""

from typing import Literal

from selfdoubt.settings.bases import ByObjects
from selfdoubt.settings.types import Count


class Settings(ByObjects):
    method: Literal["cutmix-matched"]
    n_placements: Count  # of the mask-cutmix whose weights of labels it has
