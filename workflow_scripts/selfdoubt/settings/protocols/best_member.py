"""Settings of the best member; it has none."""

from typing import Literal

from selfdoubt.settings.bases import Protocol


class Settings(Protocol):
    method: Literal["best-member"]
