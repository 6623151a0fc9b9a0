"""Settings of random signs, the placebo of steps along a gradient."""

from typing import Literal

from pydantic import Field

from selfdoubt.settings.bases import TunedEnhancer
from selfdoubt.settings.types import Epsilon, Positive


class Settings(TunedEnhancer):
    method: Literal["random-sign"]
    epsilon_255: list[Epsilon] = Field(min_length=1)
    temperature: list[Positive] = Field(default=[1.0], min_length=1)
