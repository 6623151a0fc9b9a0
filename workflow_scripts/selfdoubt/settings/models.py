"""Types of `networks`, `recipes` and of the four kinds of models."""

from typing import Annotated, Literal

from pydantic import Field

from selfdoubt.settings.types import BelowOne, Count, Device, Fraction, Name, NotNegative, Positive, Strict, one_of


class ConvNet(Strict):
    family: Literal["convnet"]
    widths: list[Count] = Field(min_length=1)


class Timm(Strict):
    family: Literal["timm"]
    name: str = Field(pattern=r"^[a-z0-9_.]+$")
    pretrained: bool = False
    patch_px: Count = 4  # of a transformer on images of up to 64 px


class Sgd(Strict):
    method: Literal["sgd"]
    learning_rate: Positive
    momentum: BelowOne
    weight_decay: NotNegative


class AdamW(Strict):
    method: Literal["adamw"]
    learning_rate: Positive
    betas: list[BelowOne] = Field(min_length=2, max_length=2)
    weight_decay: NotNegative


class Muon(Strict):
    method: Literal["muon"]
    learning_rate: Positive
    other_learning_rate: Positive  # of the head, scales and shifts
    momentum: BelowOne
    weight_decay: NotNegative
    n_iterations: Count


class Falling(Strict):
    method: Literal["triangular", "cosine"]
    warmup_fraction: Fraction


class Step(Strict):
    method: Literal["step"]
    warmup_fraction: Fraction
    at_fractions: list[Fraction] = Field(min_length=1)
    factor: Annotated[float, Field(gt=0, lt=1)]


class Crop(Strict):
    min_area: Annotated[float, Field(gt=0, le=1)]
    max_aspect: Annotated[float, Field(ge=1)]


class Recipe(Strict):
    epochs: Count
    batch_size: Annotated[int, Field(ge=2)]
    optimizer: Annotated[Sgd | AdamW | Muon, Field(discriminator="method")]
    schedule: Annotated[Falling | Step, Field(discriminator="method")]
    max_gradient_norm: Positive | None = None
    ema_decay: Annotated[float, Field(gt=0, lt=1)] | None = None
    shift_px: Annotated[int, Field(ge=0)]
    crop: Crop | None = None  # of images that stay in files
    flip: bool
    n_workers: Annotated[int, Field(ge=0)] = 0  # that decode such images
    precision: Literal["auto", "bfloat16", "float32"]
    device: Device
    gpu: Count = 1  # processes that train together, each with a GPU where there is one
    threads: Count


class Model(Strict):
    network: Name
    recipe: Name


class LabelModel(Model):
    label_smoothing: BelowOne = 0.0


class Student(Model):
    teacher: Name
    temperature: Positive
    alpha: Fraction


class SoftLabels(Strict):
    mode: Literal["auto", "stored", "online"] = "auto"
    max_gb: Positive = 10
    top_k: Count | None = None


class CutMix(Strict):
    method: Literal["cutmix"]
    probability: Fraction
    beta: Positive


class MaskCutMix(Strict):
    method: Literal["mask-cutmix"]
    probability: Fraction
    n_placements: Count


class Augmented(Model):
    mixing: Annotated[CutMix | MaskCutMix, Field(discriminator="method")]
    segmenter: Name | None = None
    label_smoothing: BelowOne = 0.0


Network = one_of(ConvNet, Timm, by="family")
