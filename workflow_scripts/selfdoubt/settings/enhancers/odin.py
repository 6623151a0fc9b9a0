"""Settings of ODIN (Liang, Li & Srikant 2018)."""

from typing import Literal

from pydantic import Field

from selfdoubt.settings.bases import Enhancer
from selfdoubt.settings.types import Epsilon, Positive, Precision


class Settings(Enhancer):
    method: Literal["odin"]
    epsilon_255: list[Epsilon] = Field(min_length=1)
    temperature: list[Positive] = Field(min_length=1)
    precision: Precision = "float32"  # of gradients
