"""Settings of the score disagreement."""

from typing import ClassVar, Literal

from selfdoubt.settings.bases import ScoreByName


class Settings(ScoreByName):
    score: Literal["disagreement"]
    needs_disagreement: ClassVar = True
