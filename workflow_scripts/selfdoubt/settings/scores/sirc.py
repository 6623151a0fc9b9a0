"""Settings of the score sirc."""

from typing import ClassVar, Literal

from selfdoubt.settings.bases import ScoreByName


class Settings(ScoreByName):
    score: Literal["sirc"]
    needs_features: ClassVar = True
