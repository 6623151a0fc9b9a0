"""Settings of the network that transforms images, trained on val."""

from typing import Annotated, Literal

from pydantic import Field

from selfdoubt.settings.bases import ImageTrained
from selfdoubt.settings.types import Count, NotNegative


class Settings(ImageTrained):
    method: Literal["deep-spatial"]
    size: list[Annotated[float, Field(ge=0, le=100)]] = Field(min_length=1)  # by which these are multiplied; 0: none
    shift_px: Annotated[float, Field(ge=0, le=1024)]  # at most, along each axis
    rotation_degrees: Annotated[float, Field(ge=0, le=180)]
    scale_percent: Annotated[float, Field(ge=0, le=100)]
    shear_percent: Annotated[float, Field(ge=0, le=100)]
    ranking_weight: list[NotNegative] = Field(min_length=1)  # of pairs; 0: none
    width: Count  # channels after the first convolution
    epochs: Count
