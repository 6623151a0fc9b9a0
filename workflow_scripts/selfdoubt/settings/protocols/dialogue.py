"""Settings of a dialogue."""

from typing import Literal

from selfdoubt.settings.speech import Speech
from selfdoubt.settings.types import Count


class Settings(Speech):
    method: Literal["dialogue"]
    n_rounds: Count
