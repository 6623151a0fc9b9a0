"""Settings of hedge defence (Wu et al. 2021)."""

from typing import Literal

from pydantic import Field

from selfdoubt.settings.bases import Enhancer
from selfdoubt.settings.types import Count, Epsilon, Precision


class Settings(Enhancer):
    method: Literal["hedge"]
    epsilon_255: list[Epsilon] = Field(min_length=1)
    n_steps: Count
    step_255: Epsilon | None = None  # left out: epsilon / n_steps
    random_start: bool = False  # at a random point within epsilon rather than at the image
    precision: Precision = "float32"  # of gradients
