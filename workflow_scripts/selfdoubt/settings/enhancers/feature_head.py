"""Settings of the network that reads penultimate features and estimates whether predictions are correct."""

from typing import Annotated, Literal

from pydantic import Field

from selfdoubt.settings.bases import Head
from selfdoubt.settings.types import Count


class Settings(Head):
    method: Literal["feature-head"]
    target: Literal["correctness", "true-class-probability"]  # the second as ConfidNet
    width: Count  # of each hidden layer
    n_layers: Annotated[int, Field(ge=1, le=20)]  # hidden ones
