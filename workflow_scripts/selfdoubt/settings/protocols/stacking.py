"""Settings of stacking (Wolpert 1992)."""

from typing import Annotated, Literal

from pydantic import Field

from selfdoubt.settings.bases import Protocol
from selfdoubt.settings.types import Positive


class Settings(Protocol):
    method: Literal["stacking"]
    penalty: list[Positive] = Field(min_length=1)  # one is chosen on val
    n_folds: Annotated[int, Field(ge=2, le=1000)]  # of val
