"""Settings of the network that reads penultimate features and says whether predictions are correct."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from selfdoubt.settings.bases import TrainedEnhancer
from selfdoubt.settings.types import Count


class Settings(TrainedEnhancer):
    method: Literal["feature-head"]
    changes_images: ClassVar[bool] = False
    target: Literal["correctness", "true-class-probability"]  # the second as ConfidNet
    width: Count  # of each hidden layer
    n_layers: Annotated[int, Field(ge=1, le=20)]  # hidden ones
    epochs: list[Count] = Field(min_length=1)
