"""Settings of the weighted log-linear pool (Genest & Zidek 1986)."""

from typing import Literal

from selfdoubt.settings.penalties import FittedProtocol


class Settings(FittedProtocol):
    method: Literal["weighted-pool"]
