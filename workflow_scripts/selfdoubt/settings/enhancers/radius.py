"""Settings of the distance to the decision boundary as confidence."""

from typing import Annotated, Literal

from pydantic import Field

from selfdoubt.settings.bases import Enhancer
from selfdoubt.settings.types import Count, Epsilon


class Settings(Enhancer):
    method: Literal["radius"]
    n_steps: Count
    epsilon_255: Annotated[list[Epsilon], Field(min_length=1)] | None = None  # left out: to the linearised boundary
