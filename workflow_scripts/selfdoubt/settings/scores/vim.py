"""Settings of the score vim."""

from typing import ClassVar, Literal

from selfdoubt.settings.bases import ScoreByName


class Settings(ScoreByName):
    score: Literal["vim"]
    needs_features: ClassVar = True
