"""Settings of the score knn."""

from typing import ClassVar, Literal

from selfdoubt.settings.bases import ScoreByName


class Settings(ScoreByName):
    score: Literal["knn"]
    needs_features: ClassVar = True
