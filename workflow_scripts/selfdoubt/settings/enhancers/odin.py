"""Settings of ODIN (Liang, Li & Srikant 2018)."""

from typing import Literal

from pydantic import Field

from selfdoubt.settings.bases import TunedEnhancer
from selfdoubt.settings.types import EpsilonOrZero, Positive, Precision


class Settings(TunedEnhancer):
    method: Literal["odin"]
    epsilon_255: list[EpsilonOrZero] = Field(min_length=1)  # 0: the temperature alone
    temperature: list[Positive] = Field(min_length=1)
    precision: Precision = "float32"  # of gradients
