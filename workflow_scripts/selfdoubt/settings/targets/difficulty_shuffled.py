"""Settings of targets that have the probability of the label of another image's target."""

from typing import ClassVar, Literal

from selfdoubt.settings.bases import OfStudent


class Settings(OfStudent):
    compares_images: ClassVar[bool] = True
    of_one_label: ClassVar[bool] = True
    method: Literal["difficulty-shuffled"]
