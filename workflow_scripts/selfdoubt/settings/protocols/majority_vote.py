"""Settings of the majority vote (Hansen & Salamon 1990); it has none."""

from typing import Literal

from selfdoubt.settings.bases import Protocol


class Settings(Protocol):
    method: Literal["majority-vote"]
