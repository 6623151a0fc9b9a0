"""Settings of the logistic model of views and clean logits."""

from typing import Annotated, Literal

from pydantic import Field

from selfdoubt.settings.bases import OfViews
from selfdoubt.settings.types import Positive


class Settings(OfViews):
    method: Literal["view-logistic"]
    l2_penalty: list[Positive] = Field(min_length=1)
    n_folds: Annotated[int, Field(ge=2, le=1000)]  # of val
