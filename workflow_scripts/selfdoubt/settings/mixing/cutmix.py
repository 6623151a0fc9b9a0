"""Settings of CutMix (Yun et al. 2019)."""

from typing import Literal

from selfdoubt.settings.types import Fraction, Positive, Strict


class Settings(Strict):
    method: Literal["cutmix"]
    probability: Fraction  # that an image is mixed
    beta: Positive
