"""Settings of the score msp."""

from typing import ClassVar, Literal

from selfdoubt.settings.bases import ScoreByName


class Settings(ScoreByName):
    score: Literal["msp"]
    defines_probabilities: ClassVar = True
