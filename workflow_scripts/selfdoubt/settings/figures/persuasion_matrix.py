"""Settings of the persuasion matrix."""

from typing import ClassVar, Literal

from selfdoubt.settings.bases import FigureOfProtocol


class Settings(FigureOfProtocol):
    reads: ClassVar = ("persuasion",)
    kind: Literal["persuasion-matrix"]
