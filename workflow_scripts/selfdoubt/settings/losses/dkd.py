"""Settings of decoupled knowledge distillation (Zhao et al. 2022)."""

from typing import ClassVar, Literal

from selfdoubt.settings.bases import OfStudent
from selfdoubt.settings.types import NotNegative, Positive


class Settings(OfStudent):
    measures_parts: ClassVar[bool] = True
    of_one_label: ClassVar[bool] = True
    method: Literal["dkd"]
    temperature: Positive
    alpha: NotNegative  # of the label against the rest, TCKD
    beta: NotNegative  # of the other classes among themselves, NCKD
