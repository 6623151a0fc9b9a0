"""Types of `segmenters`, `enhancers`, `protocols` and `groups`: what works on trained models."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from selfdoubt.settings.architectures import ARCHITECTURES
from selfdoubt.settings.types import (
    Count,
    Device,
    Epsilon,
    Fraction,
    Name,
    NotNegative,
    Positive,
    Precision,
    Strict,
    one_of,
)


class Segmenter(Strict):
    teacher: Name
    teacher_replicate: int
    architecture: Literal[ARCHITECTURES]
    encoder: str = Field(pattern=r"^[A-Za-z0-9_.-]+$")
    encoder_depth: Annotated[int, Field(ge=1, le=5)]
    decoder_channels: list[Count] = Field(min_length=1)
    foreground_above: Fraction
    background_below: Fraction
    refinement_steps: Annotated[int, Field(ge=0)]
    epochs: Count
    batch_size: Annotated[int, Field(ge=2)]
    learning_rate: Positive
    threads: Count
    device: Device = "auto"


class Enhancer(Strict):
    models: list[Name] = Field(min_length=1)


class Odin(Enhancer):
    method: Literal["odin", "doctor"]
    epsilon_255: list[Epsilon] = Field(min_length=1)
    temperature: list[Positive] = Field(min_length=1)
    precision: Precision = "float32"  # of gradients


class AntiAdversary(Enhancer):
    method: Literal["anti-adversary", "hedge"]
    epsilon_255: list[Epsilon] = Field(min_length=1)
    n_steps: Count
    precision: Precision = "float32"  # of gradients


class RandomSign(Enhancer):
    method: Literal["random-sign"]
    epsilon_255: list[Epsilon] = Field(min_length=1)
    temperature: list[Positive] = Field(default=[1.0], min_length=1)


class Tta(Enhancer):
    method: Literal["tta"]
    n_views: Annotated[int, Field(ge=2)]  # the clean image is one
    shift_px: list[Annotated[int, Field(ge=0)]] = Field(min_length=1)
    flip: bool

    @model_validator(mode="after")
    def _has_views(self) -> Self:
        if 0 in self.shift_px and not self.flip:
            raise ValueError("a shift_px of 0 without flip makes all views the clean image; raise it, or flip")
        return self


class Oracle(Enhancer):
    method: Literal["oracle"]
    epsilon_255: list[Epsilon] = Field(min_length=1)
    n_halvings: Annotated[int, Field(ge=0)]  # of a step that changes the label
    precision: Precision = "float32"  # of gradients


class Ace(Enhancer):
    method: Literal["ace"]
    epsilon_255: Epsilon  # one: an attack is not tuned to do little harm
    n_halvings: Annotated[int, Field(ge=0)]
    precision: Precision = "float32"  # of gradients


class Deep(Enhancer):
    method: Literal["deep"]
    epsilon_255: list[Epsilon] = Field(min_length=1)
    confidence_weight: list[NotNegative] = Field(min_length=1)
    width: Count  # channels between the convolutions
    epochs: Count
    batch_size: Count
    learning_rate: Positive
    n_folds: Annotated[int, Field(ge=2)]  # of val


class Asymmetry(Enhancer):
    method: Literal["asymmetry"]
    epsilon_255: list[Epsilon] = Field(min_length=1)
    n_steps: Count  # towards the runner-up
    l2_penalty: list[Positive] = Field(min_length=1)
    n_folds: Annotated[int, Field(ge=2)]  # of val


class CleanLogistic(Enhancer):
    changes_images: ClassVar = False
    method: Literal["clean-logistic"]
    l2_penalty: list[Positive] = Field(min_length=1)
    n_folds: Annotated[int, Field(ge=2)]  # of val


class Combined(Strict):
    """A group that decides from its members' predictions alone."""

    speaks: ClassVar = False
    method: Literal["mean-probability", "mean-logit", "majority-vote", "most-confident"]


class Stacking(Strict):
    speaks: ClassVar = False
    method: Literal["stacking"]
    penalty: list[Positive] = Field(min_length=1)
    n_folds: Annotated[int, Field(ge=2)]


class Speech(Strict):
    """A group whose members are asked again, on images that others have changed."""

    speaks: ClassVar = True
    message: Literal["gradient", "random-sign"]
    epsilon_255: Epsilon
    precision: Precision = "float32"  # of gradients

    @model_validator(mode="after")
    def _has_gradients(self) -> Self:
        if self.message == "random-sign" and self.precision != "float32":
            raise ValueError("random signs have no gradient, so `precision` says nothing of them; remove it")
        return self


class Argument(Speech):
    """Messages for the likeliest classes, and what they gain."""

    argues: ClassVar = True  # so that there is a table of who persuades whom
    n_steps: Count | None = None  # of gradients; random signs take none
    n_candidates: Annotated[int, Field(ge=2)]
    contested_below: Fraction
    gains_relative_to: Literal["none", "random-sign", "sender"] = "none"

    @model_validator(mode="after")
    def _takes_steps(self) -> Self:
        if self.message == "gradient" and self.n_steps is None:
            raise ValueError("`n_steps` is missing: in how many steps a message climbs to epsilon")
        if self.message == "random-sign" and self.n_steps is not None:
            raise ValueError("random signs take no steps, so `n_steps` says nothing of them; remove it")
        return self

    @model_validator(mode="after")
    def _has_gains_of_its_own(self) -> Self:
        if self.message == "random-sign" and self.gains_relative_to != "none":
            raise ValueError("random signs are what gains are held against; `gains_relative_to` must be none")
        return self


class Persuasion(Argument):
    method: Literal["persuasion"]


class OneWay(Argument):
    method: Literal["one-way"]
    sender: Name
    listener: Name  # the sender itself: a message to oneself

    @model_validator(mode="after")
    def _has_another_gain(self) -> Self:
        if self.sender == self.listener and self.gains_relative_to == "sender":
            raise ValueError("the listener is the sender, whose gain over its own is 1 for every class")
        return self


class Dialogue(Speech):
    method: Literal["dialogue"]
    n_rounds: Count


class Group(Strict):
    members: list[Name] = Field(min_length=2)
    protocols: list[Name] = Field(min_length=1)


READ_LABELS = ("oracle", "ace")  # of the test split too: bounds, never contenders

AnyEnhancer = one_of(Odin, AntiAdversary, RandomSign, Tta, Oracle, Ace, Deep, Asymmetry, CleanLogistic, by="method")
Protocol = one_of(Combined, Stacking, Persuasion, OneWay, Dialogue, by="method")
