"""Settings of the score mc-dropout."""

from typing import ClassVar, Literal

from selfdoubt.settings.bases import ScoreByName


class Settings(ScoreByName):
    score: Literal["mc-dropout"]
    needs_dropout_passes: ClassVar = True
