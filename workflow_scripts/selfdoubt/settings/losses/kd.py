"""Settings of knowledge distillation (Hinton, Vinyals & Dean 2015)."""

from typing import ClassVar, Literal

from selfdoubt.settings.bases import OfStudent
from selfdoubt.settings.types import Fraction, Positive


class Settings(OfStudent):
    measures_parts: ClassVar[bool] = True
    method: Literal["kd"]
    temperature: Positive
    alpha: Fraction  # of the divergence; the cross-entropy with the labels has the rest
