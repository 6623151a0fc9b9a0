"""Settings of SaliencyMix (Uddin et al. 2021)."""

from typing import Literal

from selfdoubt.settings.types import Fraction, Positive, Strict


class Settings(Strict):
    method: Literal["saliency-mix"]
    probability: Fraction  # that an image is mixed
    beta: Positive
