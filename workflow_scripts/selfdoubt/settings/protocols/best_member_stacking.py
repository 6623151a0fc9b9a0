"""Settings of stacking of the best member alone."""

from typing import Literal

from selfdoubt.settings.penalties import FittedProtocol


class Settings(FittedProtocol):
    method: Literal["best-member-stacking"]
