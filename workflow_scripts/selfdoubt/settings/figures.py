"""Types of `figures`."""

from typing import Annotated, Literal

from pydantic import Field

from selfdoubt.settings.analysis import Score
from selfdoubt.settings.types import ArmText, Count, Name, Strict, one_of


class Style(Strict):
    width_mm: Annotated[float, Field(ge=30, le=400)]
    height_mm: Annotated[float, Field(ge=30, le=400)]


class Figure(Strict):
    study: Name
    dataset: Name
    style: Style


class RiskCoverage(Figure):
    kind: Literal["risk-coverage"]
    arms: list[ArmText] = Field(min_length=1)
    split: str
    score: Score


class Reliability(Figure):
    kind: Literal["reliability"]
    arms: list[ArmText] = Field(min_length=1)
    split: str
    n_bins: Count


class AurocAccuracy(Figure):
    kind: Literal["auroc-accuracy"]
    arms: list[ArmText] = []  # none: all of the study's
    split: str
    score: Score


class EnhancementExamples(Figure):
    kind: Literal["enhancement-examples"]
    model: Name
    replicate: int
    enhancers: list[Name] = Field(min_length=1)
    n_images: Count


class MaskGallery(Figure):
    kind: Literal["mask-gallery"]
    segmenter: Name
    n_images: Count


class PersuasionMatrix(Figure):
    kind: Literal["persuasion-matrix"]
    group: Name
    protocol: Name


class MixedLabels(Figure):
    kind: Literal["mixed-labels"]
    models: list[Name] = Field(min_length=1)


class ObjectSize(Figure):
    kind: Literal["object-size"]
    arms: list[ArmText] = Field(min_length=2)
    split: Literal["val", "test"]
    score: Score
    n_bins: Count


FigureEntry = one_of(
    RiskCoverage,
    Reliability,
    AurocAccuracy,
    EnhancementExamples,
    MaskGallery,
    PersuasionMatrix,
    MixedLabels,
    ObjectSize,
    by="kind",
)
