"""Settings of the score max-logit."""

from typing import Literal

from selfdoubt.settings.bases import ScoreByName


class Settings(ScoreByName):
    score: Literal["max-logit"]
