"""Settings of CWTM, confidence weighted by teacher max (Furlanello et al. 2018)."""

from typing import ClassVar, Literal

from selfdoubt.settings.bases import OfStudent


class Settings(OfStudent):
    compares_images: ClassVar[bool] = True
    method: Literal["cwtm"]
