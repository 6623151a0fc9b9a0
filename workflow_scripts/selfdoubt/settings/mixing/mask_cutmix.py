"""Settings of CutMix by masks."""

from typing import Literal

from selfdoubt.settings.bases import ByMasks, ObjectLabels
from selfdoubt.settings.types import Count


class Settings(ByMasks):
    method: Literal["mask-cutmix"]
    n_placements: Count  # candidate translations of the source's object
    labels: ObjectLabels | Literal["pixel-area"] = "object-area"
