"""Settings of a dialogue."""

from typing import ClassVar, Literal

from selfdoubt.settings.sent_messages import MessageProtocol
from selfdoubt.settings.types import Count


class Settings(MessageProtocol):
    keeps_gains: ClassVar[bool] = True  # from before the dialogue to its end
    method: Literal["dialogue"]
    n_rounds: Count  # at most, in each of which every member takes one step
