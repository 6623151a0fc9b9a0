"""Settings of calibrated targets: the teacher at the temperature of lowest NLL on val (Guo et al. 2017)."""

from typing import Literal

from selfdoubt.settings.bases import OfStudent


class Settings(OfStudent):
    method: Literal["temperature-scaled"]

    @property
    def factor_of_logits(self) -> str:
        return "val"
