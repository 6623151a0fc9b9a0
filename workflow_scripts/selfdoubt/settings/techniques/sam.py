"""Settings of sharpness-aware minimisation (Foret et al., ICLR 2021)."""

from typing import Literal

from selfdoubt.settings.bases import Technique
from selfdoubt.settings.types import Positive


class Settings(Technique):
    method: Literal["sam"]
    rho: Positive  # length of the step to the worst weights
