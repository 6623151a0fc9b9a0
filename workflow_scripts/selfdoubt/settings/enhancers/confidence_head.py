"""Settings of the network that reads images and says whether predictions are correct."""

from typing import ClassVar, Literal

from pydantic import Field

from selfdoubt.settings.bases import TrainedEnhancer
from selfdoubt.settings.types import Count


class Settings(TrainedEnhancer):
    method: Literal["confidence-head"]
    changes_images: ClassVar[bool] = False
    reads_logits: bool  # besides the image
    width: Count  # channels after the first convolution
    epochs: list[Count] = Field(min_length=1)
