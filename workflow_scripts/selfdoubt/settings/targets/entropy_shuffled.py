"""Settings of targets that have the entropy of another image's target."""

from typing import ClassVar, Literal

from selfdoubt.settings.bases import OfStudent
from selfdoubt.settings.types import Positive


class Settings(OfStudent):
    of_one_label: ClassVar[bool] = True
    compares_images: ClassVar[bool] = True
    method: Literal["entropy-shuffled"]
    temperature: Positive  # at which entropies are exchanged: that of the loss, where it has one
