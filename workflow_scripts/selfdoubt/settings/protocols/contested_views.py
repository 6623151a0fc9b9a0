"""Settings of a weighted pool whose members predict views of the images about which it is uncertain."""

from typing import ClassVar, Literal

from selfdoubt.settings.penalties import FittedProtocol
from selfdoubt.settings.types import Fraction
from selfdoubt.settings.viewed import ViewedProtocol


class Settings(FittedProtocol, ViewedProtocol):
    keeps_gains: ClassVar[bool] = True
    method: Literal["contested-views"]
    contested_below: Fraction  # views are predicted where the pool's largest probability is lower
    where: Literal["contested", "random"] = "contested"  # random: as many images, whichever: a control
