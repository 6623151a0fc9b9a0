"""Settings of CutMix by masks."""

from typing import Literal

from selfdoubt.settings.bases import AnyObjectLabels, ByObjects
from selfdoubt.settings.types import Count


class Settings(ByObjects):
    method: Literal["mask-cutmix"]
    n_placements: Count  # candidate translations of the source's object
    labels: AnyObjectLabels | Literal["pixel-area"] = "object-area"
