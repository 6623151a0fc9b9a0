"""Settings of the anti-adversary (Alfarra et al. 2022)."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from selfdoubt.settings.bases import Enhancer
from selfdoubt.settings.types import Count, Epsilon, Precision


class Settings(Enhancer):
    method: Literal["anti-adversary"]
    epsilon_255: Annotated[list[Epsilon], Field(min_length=1)] | None = None  # left out: nothing bounds the images
    n_steps: Count
    step_255: Epsilon | None = None  # left out: epsilon / n_steps
    precision: Precision = "float32"  # of gradients

    @model_validator(mode="after")
    def _has_a_size(self) -> Self:
        if self.epsilon_255 is None and self.step_255 is None:
            raise ValueError("needs a size; add epsilon_255, within which it stays, or step_255, the size of a step")
        return self
