"""Settings of the correctness ranking loss (Moon et al., ICML 2020)."""

from typing import ClassVar, Literal

from selfdoubt.settings.bases import Technique
from selfdoubt.settings.types import Positive


class Settings(Technique):
    compares_images: ClassVar[bool] = True
    method: Literal["crl"]
    weight: Positive  # of the ranking loss, beside the cross-entropy
