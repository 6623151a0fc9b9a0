"""Settings of CutMix (Yun et al. 2019)."""

from typing import Literal

from selfdoubt.settings.bases import Mixing
from selfdoubt.settings.types import Positive


class Settings(Mixing):
    method: Literal["cutmix"]
    beta: Positive  # lambda ~ Beta(beta, beta)
