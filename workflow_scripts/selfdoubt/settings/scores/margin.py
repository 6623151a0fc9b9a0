"""Settings of the score margin."""

from typing import Literal

from selfdoubt.settings.bases import ScoreByName


class Settings(ScoreByName):
    score: Literal["margin"]
