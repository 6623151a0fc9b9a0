"""Settings of persuasion."""

from typing import Literal

from selfdoubt.settings.speech import Argument


class Settings(Argument):
    method: Literal["persuasion"]
