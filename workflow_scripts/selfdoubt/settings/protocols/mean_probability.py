"""Settings of the mean probability (Stone 1961); it has none."""

from typing import Literal

from selfdoubt.settings.bases import Protocol


class Settings(Protocol):
    method: Literal["mean-probability"]
