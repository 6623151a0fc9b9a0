"""Settings of the mean logit (Genest & Zidek 1986); it has none."""

from typing import Literal

from selfdoubt.settings.bases import Protocol


class Settings(Protocol):
    method: Literal["mean-logit"]
