"""Settings of OA-CutMix (Nauen et al. 2026)."""

from typing import Literal

from selfdoubt.settings.bases import ByMasks
from selfdoubt.settings.types import Positive


class Settings(ByMasks):
    method: Literal["oa-cutmix"]
    beta: Positive
