"""Settings of the image network that is trained on val."""

from typing import Literal

from pydantic import Field

from selfdoubt.settings.bases import TrainedEnhancer
from selfdoubt.settings.types import Count, Epsilon, NotNegative


class Settings(TrainedEnhancer):
    method: Literal["deep"]
    epsilon_255: list[Epsilon] = Field(min_length=1)
    confidence_weight: list[NotNegative] = Field(min_length=1)
    width: Count  # channels between the convolutions
    epochs: Count
