"""Settings of the network that transforms images, trained on val."""

from typing import Annotated, Literal

from pydantic import Field

from selfdoubt.settings.bases import ImageTrained
from selfdoubt.settings.types import Count, NotNegative


class Settings(ImageTrained):
    method: Literal["deep-spatial"]
    size: list[Annotated[float, Field(ge=0, le=100)]] = Field(min_length=1)  # by which these are multiplied; 0: none
    shift_px: Annotated[float, Field(ge=0, le=1024)]  # at most, along each axis
    rotation_degrees: Annotated[float, Field(ge=0, le=180)]  # at most, to either side
    scale_percent: Annotated[float, Field(ge=0, le=100)]  # at most: enlarged by it, or reduced by the inverse factor
    shear_percent: Annotated[float, Field(ge=0, le=100)]  # at most: px to the side for each 100 px down
    ranking_weight: list[NotNegative] = Field(min_length=1)  # of pairs; 0: none
    width: Count  # channels after the first convolution
    epochs: Count
