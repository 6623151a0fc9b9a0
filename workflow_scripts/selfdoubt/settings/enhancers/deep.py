"""Settings of the image network that is trained on val."""

from typing import Annotated, Literal

from pydantic import Field

from selfdoubt.settings.bases import Enhancer
from selfdoubt.settings.types import Count, Epsilon, NotNegative, Positive


class Settings(Enhancer):
    method: Literal["deep"]
    epsilon_255: list[Epsilon] = Field(min_length=1)
    confidence_weight: list[NotNegative] = Field(min_length=1)
    width: Count  # channels between the convolutions
    epochs: Count
    batch_size: Count
    learning_rate: Positive
    n_folds: Annotated[int, Field(ge=2, le=1000)]  # of val
