"""Settings of targets that predict the label: the teacher without its errors."""

from typing import Literal

from selfdoubt.settings.bases import OfStudent


class Settings(OfStudent):
    method: Literal["corrected"]
