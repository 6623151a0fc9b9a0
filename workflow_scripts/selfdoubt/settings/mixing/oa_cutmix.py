"""Settings of OA-CutMix (Nauen et al. 2026)."""

from typing import Literal

from selfdoubt.settings.bases import AnyObjectLabels, ByObjects
from selfdoubt.settings.types import Positive


class Settings(ByObjects):
    method: Literal["oa-cutmix"]
    beta: Positive  # lambda ~ Beta(beta, beta)
    labels: AnyObjectLabels = "object-area"
