"""Settings of the network that reads images and estimates whether predictions are correct."""

from typing import Literal

from selfdoubt.settings.bases import Head
from selfdoubt.settings.types import Count


class Settings(Head):
    method: Literal["confidence-head"]
    width: Count  # channels after the first convolution
