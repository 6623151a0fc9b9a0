"""Settings of distillation at a temperature for each image, by the teacher's margin."""

from typing import Literal

from selfdoubt.settings.bases import OfStudent
from selfdoubt.settings.types import Fraction, Positive


class Settings(OfStudent):
    method: Literal["adaptive-temperature"]
    temperature_at_margin_0: Positive  # where the teacher's two largest probabilities are equal
    temperature_at_margin_1: Positive  # where the largest is 1
    alpha: Fraction  # of the divergence; the cross-entropy with the labels has the rest
