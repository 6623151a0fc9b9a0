"""Settings of logit matching (Ba & Caruana 2014)."""

from typing import Literal

from selfdoubt.settings.bases import OfStudent
from selfdoubt.settings.types import Fraction


class Settings(OfStudent):
    method: Literal["logits"]
    alpha: Fraction  # of the squared difference; the cross-entropy with the labels has the rest
