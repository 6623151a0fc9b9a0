"""Settings of the score entropy."""

from typing import Literal

from selfdoubt.settings.bases import ScoreByName


class Settings(ScoreByName):
    score: Literal["entropy"]
