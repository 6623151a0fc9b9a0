"""Settings of the small convolutional network for small images."""

from typing import Literal

from pydantic import Field

from selfdoubt.settings.types import Count, Strict


class Settings(Strict):
    family: Literal["convnet"]
    widths: list[Count] = Field(min_length=1)  # channels of each block
