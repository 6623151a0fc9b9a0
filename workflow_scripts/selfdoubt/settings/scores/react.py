"""Settings of the score react."""

from typing import ClassVar, Literal

from selfdoubt.settings.bases import ScoreByName


class Settings(ScoreByName):
    score: Literal["react"]
    needs_features: ClassVar = True
