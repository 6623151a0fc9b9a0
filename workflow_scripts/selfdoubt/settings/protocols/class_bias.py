"""Settings of a bias a class."""

from typing import Literal

from selfdoubt.settings.penalties import FittedProtocol


class Settings(FittedProtocol):
    method: Literal["class-bias"]
