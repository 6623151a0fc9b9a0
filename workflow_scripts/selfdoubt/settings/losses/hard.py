"""Settings of learning from the teacher's predicted class."""

from typing import Literal

from selfdoubt.settings.bases import OfStudent
from selfdoubt.settings.types import Fraction


class Settings(OfStudent):
    method: Literal["hard"]
    alpha: Fraction  # of the teacher's predicted class; the label has the rest
