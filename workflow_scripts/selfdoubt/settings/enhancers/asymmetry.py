"""Settings of the logistic model of short attacks and clean logits."""

from typing import Annotated, Literal

from pydantic import Field

from selfdoubt.settings.bases import Enhancer
from selfdoubt.settings.types import Count, Epsilon, Positive


class Settings(Enhancer):
    method: Literal["asymmetry"]
    epsilon_255: list[Epsilon] = Field(min_length=1)
    n_steps: Count  # towards the runner-up
    l2_penalty: list[Positive] = Field(min_length=1)
    n_folds: Annotated[int, Field(ge=2, le=1000)]  # of val
