"""Type of `segmenters`: networks that find the object in an image."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from selfdoubt.settings.architectures import ARCHITECTURES, check_depth
from selfdoubt.settings.bases import WeightsFile
from selfdoubt.settings.types import Channels, Count, Device, Fraction, Name, Positive, Processes, Replicate, Strict


class Segmenter(Strict):
    teacher: Name
    teacher_replicate: Replicate | None = None  # one segmenter, of that replicate's teacher, for all; None: one each
    architecture: Literal[ARCHITECTURES]
    encoder: str = Field(pattern=r"^[A-Za-z0-9_.-]+$")
    encoder_weights: Literal["published"] | WeightsFile | None = None  # of a tu- encoder; None: untrained
    # stages of the encoder, each of half the resolution of the one before
    encoder_depth: Annotated[int, Field(ge=1, le=5)]
    # of each stage of the decoder, of which there are encoder_depth
    decoder_channels: list[Channels] = Field(min_length=1)
    foreground_above: Fraction
    background_below: Fraction
    refinement_steps: Annotated[int, Field(ge=0, le=10_000)]
    maps: Literal["features"] | None = None  # what a teacher's features have in common; None: its class's evidence
    map_scales: Annotated[list[Annotated[float, Field(ge=0.25, le=8)]], Field(min_length=1)] | None = None  # of views
    map_upside_down: Literal[True] | None = None  # each image is seen upside down too
    # of a class's maps, where object and background are as likely; None: maps are not ranked
    object_quantile: Annotated[float, Field(gt=0, lt=1)] | None = None
    colour_steps: Annotated[int, Field(ge=1, le=100)] | None = None  # of refinement by an image's colours; None: none
    balanced: Literal[True] | None = None  # object and background count alike in a batch
    rounds: Annotated[int, Field(ge=2, le=10)] | None = None  # each but the first learns from the one before; None: one
    epochs: Count
    batch_size: Annotated[int, Field(ge=2, lt=2**31)]
    learning_rate: Positive
    recall: Annotated[float, Field(gt=0, lt=1)] | None = None  # of confident object pixels; None: threshold 0
    dilate_px: Annotated[int, Field(ge=1, le=64)] | None = None  # by which masks are made wider
    allowed_empty_or_full: Fraction | None = None  # of masks; None: a half
    min_confidence: Fraction | None = None  # of a mask: with less, object-mixup alone mixes; None: all
    threads: Processes  # of each operation: another number gives other last bits
    device: Device = "auto"

    @model_validator(mode="after")
    def _is_deep_enough(self) -> Self:
        check_depth(self.architecture, self.encoder_depth)
        return self

    @property
    def weights_file(self) -> str | None:
        """The file that the encoder starts from."""
        return None if self.encoder_weights == "published" else self.encoder_weights
