"""Settings of CutMix by masks with scaled objects."""

from typing import Literal

from selfdoubt.settings.bases import AnyObjectLabels, ByObjects
from selfdoubt.settings.types import Count, Positive


class Settings(ByObjects):
    method: Literal["mask-cutmix-scaled"]
    beta: Positive  # lambda ~ Beta(beta, beta)
    n_placements: Count  # candidate translations of the source's object
    labels: AnyObjectLabels = "object-area"
