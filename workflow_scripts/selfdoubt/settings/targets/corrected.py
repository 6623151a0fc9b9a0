"""Settings of targets that predict the label: the teacher without its errors."""

from typing import ClassVar, Literal

from selfdoubt.settings.bases import OfStudent


class Settings(OfStudent):
    of_one_label: ClassVar[bool] = True
    method: Literal["corrected"]
