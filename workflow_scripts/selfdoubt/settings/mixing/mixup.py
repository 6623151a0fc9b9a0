"""Settings of mixup (Zhang et al. 2018)."""

from typing import Literal

from selfdoubt.settings.types import Fraction, Positive, Strict


class Settings(Strict):
    method: Literal["mixup"]
    probability: Fraction  # that an image is mixed
    alpha: Positive
