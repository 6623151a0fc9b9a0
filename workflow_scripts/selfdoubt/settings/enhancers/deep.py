"""Settings of the image network that is trained on val."""

from typing import Annotated, Literal

from pydantic import Field

from selfdoubt.settings.bases import ImageTrained
from selfdoubt.settings.types import Count, Epsilon, NotNegative


class Settings(ImageTrained):
    method: Literal["deep"]
    epsilon_255: list[Epsilon] = Field(min_length=1)
    confidence_weight: list[NotNegative] = Field(min_length=1)
    ranking_weight: Annotated[list[NotNegative], Field(min_length=1)] | None = None  # of pairs
    width: Count  # channels between the convolutions
    epochs: Count
