"""Settings of the logistic model of clean logits alone."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from selfdoubt.settings.bases import Enhancer
from selfdoubt.settings.types import Positive


class Settings(Enhancer):
    method: Literal["clean-logistic"]
    changes_images: ClassVar[bool] = False
    l2_penalty: list[Positive] = Field(min_length=1)
    n_folds: Annotated[int, Field(ge=2, le=1000)]  # of val
