"""Settings of SaliencyMix (Uddin et al. 2021)."""

from typing import Literal

from selfdoubt.settings.bases import Mixing
from selfdoubt.settings.types import Positive


class Settings(Mixing):
    method: Literal["saliency-mix"]
    beta: Positive  # lambda ~ Beta(beta, beta)
