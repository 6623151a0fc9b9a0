"""Settings of the score pnorm."""

from typing import Literal

from selfdoubt.settings.bases import ScoreByName


class Settings(ScoreByName):
    score: Literal["pnorm"]
