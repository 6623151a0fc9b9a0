"""Settings of the small convolutional network for small images."""

from typing import Literal

from pydantic import Field

from selfdoubt.settings.types import Channels, Strict


class Settings(Strict):
    family: Literal["convnet"]
    widths: list[Channels] = Field(min_length=1)  # channels of each block
