"""Settings of targets of another confidence: the teacher's logits times a factor."""

from typing import Literal

from selfdoubt.settings.bases import OfStudent
from selfdoubt.settings.types import Positive


class Settings(OfStudent):
    method: Literal["scaled"]
    factor: Positive  # of the logits

    @property
    def factor_of_logits(self) -> float:
        return self.factor
