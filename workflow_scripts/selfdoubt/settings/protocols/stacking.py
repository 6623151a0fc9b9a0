"""Settings of stacking (Wolpert 1992)."""

from typing import Literal

from selfdoubt.settings.penalties import FittedProtocol


class Settings(FittedProtocol):
    method: Literal["stacking"]
