"""Settings of targets whose probabilities, but for the largest, are permuted (DKPP: Furlanello et al. 2018)."""

from typing import Literal

from selfdoubt.settings.bases import OfStudent


class Settings(OfStudent):
    method: Literal["permuted"]
    permutation: Literal["fixed", "per-sample"]  # fixed: one for each predicted class; per-sample: one for each view
