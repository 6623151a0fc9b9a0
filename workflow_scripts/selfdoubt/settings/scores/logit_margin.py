"""Settings of the score logit-margin."""

from typing import Literal

from selfdoubt.settings.bases import ScoreByName


class Settings(ScoreByName):
    score: Literal["logit-margin"]
