"""Settings of mixup (Zhang et al. 2018)."""

from typing import Literal

from selfdoubt.settings.bases import Mixing
from selfdoubt.settings.types import Positive


class Settings(Mixing):
    method: Literal["mixup"]
    alpha: Positive  # lambda ~ Beta(alpha, alpha)
