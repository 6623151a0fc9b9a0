"""Types of `networks`, `recipes` and of the five kinds of models."""

import itertools
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_serializer, model_validator
from pydantic_core import PydanticCustomError

from selfdoubt.settings.registry import any_of
from selfdoubt.settings.twins import OwnFold, Twin
from selfdoubt.settings.types import (
    BelowOne,
    Count,
    Device,
    Fraction,
    KeepsFeatures,
    Name,
    NotNegative,
    OwnLabel,
    Positive,
    Precision,
    Processes,
    Strict,
)


class Sgd(Strict):
    method: Literal["sgd"]
    learning_rate: Positive
    momentum: BelowOne  # Nesterov's; 0: none
    weight_decay: NotNegative  # of matrices and filters, as part of the gradient; 0: none


class AdamW(Strict):
    method: Literal["adamw"]
    learning_rate: Positive
    # decay of the running means of the gradient and of its square
    betas: list[BelowOne] = Field(min_length=2, max_length=2)
    weight_decay: NotNegative  # of matrices and filters, times the learning rate; 0: none


class Muon(Strict):
    method: Literal["muon"]
    learning_rate: Positive
    other_learning_rate: Positive  # of the head, scales and shifts
    momentum: BelowOne  # Nesterov's; 0: none
    weight_decay: NotNegative  # of hidden matrices and filters, times the learning rate; 0: none
    n_iterations: Count  # of Newton-Schulz; 5 bring singular values into about [0.7, 1.2]


class Falling(Strict):
    method: Literal["triangular", "cosine"]
    warmup_fraction: Fraction  # of all steps, in which the rate rises in a line to learning_rate; then it falls to 0


class Step(Strict):
    method: Literal["step"]
    warmup_fraction: Fraction  # of all steps, in which the rate rises in a line to learning_rate
    # of the steps after the warm-up, from each of which on the rate is multiplied by factor
    at_fractions: list[Fraction] = Field(min_length=1)
    factor: Annotated[float, Field(gt=0, lt=1)]  # by which the rate is multiplied at each of them


class Crop(Strict):
    min_area: Annotated[float, Field(gt=0, le=1)]  # of a random crop, as a fraction of the image's; the largest is 1
    max_aspect: Annotated[float, Field(ge=1, le=1000)]  # of its width to its height, or the inverse


class Recipe(Strict):
    epochs: Count
    validate_every: Count = 1  # epochs, and after the last; of the curves alone, since nothing is chosen on val
    batch_size: Annotated[int, Field(ge=2, lt=2**31)]
    optimizer: Annotated[Sgd | AdamW | Muon, Field(discriminator="method")]
    schedule: Annotated[Falling | Step, Field(discriminator="method")]
    max_gradient_norm: Positive | None = None
    ema_decay: Annotated[float, Field(gt=0, lt=1)] | None = None
    shift_px: Annotated[int, Field(ge=0, le=1024)]  # random translation by up to so many
    crop: Crop | None = None  # random resized, in place of shift_px
    flip: bool
    n_workers: Annotated[int, Field(ge=0, le=1024)] = 0  # that decode such images
    precision: Precision
    compile: Literal[True] | None = None  # by torch.compile, which takes a minute and more before the first step
    device: Device
    gpu: Processes = 1  # processes that train together, each with a GPU where there is one
    threads: Processes

    @model_serializer(mode="wrap")
    def _without_what_few_have(self, dump) -> dict:
        return {key: value for key, value in dump(self).items() if key != "compile" or value}


class Model(Strict):
    network: Name
    recipe: Name
    label: OwnLabel = None
    twin: Twin = None
    fold: OwnFold = None
    features: KeepsFeatures = False

    @property
    def n_batches(self) -> int:
        """Return how many batches of a step go through the network as one."""
        also_clean = getattr(getattr(self, "mixing", None), "also_clean", None) is not None
        return max([1 + also_clean, *(each.n_batches for each in getattr(self, "techniques", []))])

    @model_serializer(mode="wrap")
    def _without_what_few_have(self, dump) -> dict:
        """Leave out what few models have, so that those without it are what they were before it could be given."""
        unused = self._unused()
        return {key: value for key, value in dump(self).items() if key not in unused}

    def _unused(self) -> set[str]:
        return {key for key in ("twin", "fold", "techniques") if not getattr(self, key, True)}


class VirtualTeacher(Strict):
    probability: Annotated[float, Field(ge=0.5, lt=1)]  # of the label; the rest is spread evenly over the other classes
    temperature: Positive
    alpha: Fraction  # weight of the divergence from it; the label's cross-entropy has 1 - alpha


def _in_order(techniques: list) -> list:
    """Return techniques by name, since their order means nothing; raises if one is there twice."""
    names = sorted(each.method for each in techniques)
    if twice := [name for name, after in itertools.pairwise(names) if name == after]:
        raise PydanticCustomError("twice", f"{twice[0]} is there twice; remove one of the two")
    return sorted(techniques, key=lambda each: each.method)


class LabelModel(Model):
    labels: Literal["hard", "soft"] = "hard"  # soft: the distribution that several people gave each image
    label_smoothing: BelowOne = 0.0  # fraction of the target that all classes share (Szegedy et al. 2016); 0: none
    # weight of the predictions' entropy, which the loss rewards (Pereyra et al. 2017); 0: none
    confidence_penalty: NotNegative = 0.0
    virtual_teacher: VirtualTeacher | None = None  # in place of both (Yuan et al. 2020); None: none
    # changes of how it trains, beyond recipe and target
    techniques: Annotated[list[any_of("techniques")], AfterValidator(_in_order)] = []

    @model_validator(mode="after")
    def _has_one_target(self) -> Self:
        if self.virtual_teacher and (self.label_smoothing or self.confidence_penalty):
            raise ValueError("`virtual_teacher` stands alone; remove it, or label_smoothing and confidence_penalty")
        if self.virtual_teacher and self.labels == "soft":
            raise ValueError("`virtual_teacher` has one label an image; remove it, or `labels: soft`")
        return self

    def _unused(self) -> set[str]:
        return super()._unused() | ({"labels"} if self.labels == "hard" else set())


def _as_list(given):
    return [given] if isinstance(given, str) else given


# A name, or a list of names, whose order means nothing.
_ONE_OR_MORE = BeforeValidator(_as_list, json_schema_input_type=Name | list[Name])
Teachers = Annotated[list[Name], Field(min_length=1), _ONE_OR_MORE, AfterValidator(sorted)]


class Mixed(Model):
    """A model that may learn from mixed images."""

    segmenter: Name | None = None
    # those of the data set, in place of a segmenter's; truth: by its mask_truth where that is known
    masks: Literal["given", "truth"] | None = None


class Disagreement(Strict):
    """Of a student with a further output, which learns how far its teachers disagree."""

    weight: Positive  # of its loss, beside the student's own
    shuffled: bool = False  # the control: each image has the disagreement of another of its label


class Student(Mixed):
    teacher: Teachers  # of several, the mean probability
    loss: any_of("losses")  # docs/distillation.md
    target_transform: any_of("targets") | None = None  # of the teacher's logits, before the loss
    teacher_view: Literal["same", "fixed"] = "same"  # same: what the student sees; fixed: the image as it is
    mixing: any_of("mixing") | None = None  # of the images that it learns from; None: they are not mixed
    disagreement: Disagreement | None = None  # None: it has no further output
    teacher_views: Annotated[int, Field(ge=1, le=100)] = 1  # of an image, whose mean probability is the target
    targets: Literal["all", "held-out"] = "all"  # held-out: of those teachers that did not train on the image

    @model_validator(mode="before")
    @classmethod
    def _loss_has_its_own_keys(cls, given):
        if isinstance(given, dict) and given.keys() & {"temperature", "alpha"}:
            raise ValueError(
                "temperature and alpha are keys of a loss; write `loss: { method: kd, temperature: 4, alpha: 0.9 }`"
            )
        return given

    @model_validator(mode="after")
    def _has_views_that_differ(self) -> Self:
        if self.teacher_view == "fixed" and self.teacher_views > 1:
            raise ValueError("`teacher_views` are augmented ones; remove it, or `teacher_view: fixed`")
        return self

    @property
    def compares_images(self) -> bool:
        """Whether an image's loss depends on the others of its batch."""
        return bool(self._shuffled) or any(each.compares_images for each in self._methods)

    @property
    def measures_parts(self) -> bool:
        """Whether its history has the parts of its divergence: images with two labels have none."""
        return self.loss.measures_parts and self.mixing is None

    def of_one_label(self) -> list[str]:
        """Return its methods that are not defined for mixed images, which have two labels."""
        return [each.method for each in self._methods if each.of_one_label] + self._shuffled

    @property
    def _methods(self) -> list:
        return [each for each in (self.loss, self.target_transform) if each]

    @property
    def _shuffled(self) -> list[str]:
        return ["disagreement.shuffled"] if self.disagreement and self.disagreement.shuffled else []

    def _unused(self) -> set[str]:
        own = {"teacher_views": 1, "targets": "all", "disagreement": None}
        of_mixing = {"mixing", "segmenter", "masks"} if self.mixing is None else set()
        return super()._unused() | of_mixing | {key for key, value in own.items() if getattr(self, key) == value}


class SoftLabels(Strict):
    mode: Literal["auto", "stored", "online"] = "auto"
    max_gb: Positive = 10
    top_k: Count | None = None


class Augmented(Mixed):
    mixing: any_of("mixing")  # docs/mixing.md
    label_smoothing: BelowOne = 0.0  # of both labels of a mixed image; 0: none


Network = any_of("families", by="family")


def _of_timm(given):
    return {"family": "timm", **given} if isinstance(given, dict) else given


# A network that is evaluated as it is: of timm, unless it names another family.
Pretrained = Annotated[any_of("families", by="family", called="Pretrained"), BeforeValidator(_of_timm)]
