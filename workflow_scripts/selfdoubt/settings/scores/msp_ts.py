"""Settings of the score msp-ts."""

from typing import ClassVar, Literal

from selfdoubt.settings.bases import ScoreByName


class Settings(ScoreByName):
    score: Literal["msp-ts"]
    defines_probabilities: ClassVar = True
