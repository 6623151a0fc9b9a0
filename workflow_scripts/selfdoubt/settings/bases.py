"""What the settings of several methods have in common."""

import re
from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal, NamedTuple, Self

from pydantic import AfterValidator, ConfigDict, Field, ValidationInfo, model_serializer, model_validator
from pydantic_core import PydanticCustomError

from selfdoubt.settings.choices import check_known
from selfdoubt.settings.types import (
    ArmText,
    Count,
    Device,
    Epsilon,
    Fraction,
    KeepsFeatures,
    Name,
    OodSplit,
    OwnLabel,
    Positive,
    Processes,
    Strict,
)
from selfdoubt.settings.weight_suffixes import EITHER, PICKLES, SAFETENSORS

# mm of one column and of the page: "paper" has the widths of ICML; columns of CVPR and IEEE are a little wider
PAPERS = {
    "paper": (82.5, 171.5),
    "cvpr": (83.3, 174.6),
    "icml": (82.5, 171.5),
    "ieee": (88.9, 181.9),
    "neurips": (139.7, 139.7),  # of one column
}
ObjectLabels = Literal["object-area", "relative-object-area"]
AnyObjectLabels = ObjectLabels | Literal["visible-fraction"]


class Mixing(Strict):
    """How the images of an augmented model are mixed."""

    probability: Fraction  # that an image is mixed
    also_clean: Positive | None = None  # weight of the mixed batch's loss, beside that of the clean one; None: it alone

    @model_serializer(mode="wrap")
    def _without_what_few_have(self, dump) -> dict:
        return {key: value for key, value in dump(self).items() if (key, value) != ("also_clean", None)}


def not_below_min_scale(max_scale: float, others: ValidationInfo) -> float:
    """Return a max_scale; raises ValueError if it is below the min_scale beside it."""
    if max_scale < others.data.get("min_scale", 0):
        raise ValueError(f"{max_scale} is below min_scale {others.data['min_scale']}; swap them")
    return max_scale


class ByMasks(Mixing):
    """Mixing that needs object masks."""

    # none: no control; permuted: masks of other images; boxes: of each mask's area and place; enclosing: around it
    mask_control: Literal["none", "permuted", "boxes", "enclosing"] = "none"


class ByObjects(ByMasks):
    """Mixing whose labels follow the objects."""

    labels: ObjectLabels = "object-area"  # how weights of labels follow the visible objects: docs/mixing.md


class Enhancer(Strict):
    """A change of the input of models; of a key whose value is a list, one value is chosen on val."""

    reads_labels: ClassVar[bool] = False  # of the images that it enhances, test too: an upper bound or an attack
    changes_images: ClassVar[bool] = True
    few_have: ClassVar[tuple[str, ...]] = ("attacked_by", "shifted")  # keys that are not written where they are None
    models: list[Name] = Field(min_length=1)
    label: OwnLabel = None
    attacked_by: Name | None = None  # by which the images of every split but val are changed first
    shifted: Literal[True] | None = None  # enhance the corrupted and the re-collected test sets too

    @model_serializer(mode="wrap")
    def _without_what_few_have(self, dump) -> dict:
        return {key: value for key, value in dump(self).items() if value is not None or key not in self.few_have}

    def learns_by(self) -> list[str]:
        """Return further models, besides the one that is enhanced, by whose errors it learns."""
        return []

    def attacks(self) -> dict[str, str]:
        """Return the keys that name attacks, with the entries that they name."""
        named = {key: getattr(self, key, None) for key in ("attacked_by", "trained_against")}
        return {key: name for key, name in named.items() if name is not None}

    def as_attack(self) -> dict:
        """Return what decides how images are changed: not whose or which ones, as an arm of its own."""
        return self.model_dump(exclude={"models", "attacked_by", "shifted"}, exclude_none=True)


class TunedEnhancer(Enhancer):
    """An enhancer that may be tuned for detecting OOD images: the one exception from choosing on val alone."""

    tune_on: OodSplit | None = None  # an OOD set, against which the lowest FPR of val is chosen; it is not tested

    @model_validator(mode="after")
    def _has_candidates(self) -> Self:
        values = [value for key, value in self if isinstance(value, list) and key != "models"]
        if self.tune_on and all(len(each) == 1 for each in values):
            raise ValueError("tune_on chooses among candidates, and there is one; list more values, or remove tune_on")
        return self


class TrainedEnhancer(Enhancer):
    """An enhancer with a small network that is trained on val."""

    batch_size: Count
    learning_rate: Positive
    n_folds: Annotated[int, Field(ge=2, le=1000)]  # of val


class Head(TrainedEnhancer):
    """A network that estimates whether predictions are correct."""

    changes_images: ClassVar[bool] = False
    reads_logits: bool  # too: it then starts at the clean confidence
    epochs: list[Count] = Field(min_length=1)


class ImageTrained(TrainedEnhancer):
    """An enhancer whose network changes images."""

    few_have: ClassVar = (*Enhancer.few_have, "trained_against", "ranking_weight", "network", "siblings", "errors_of")
    trained_against: Name | None = None  # by which half of the images that it is trained on are changed
    # folds of a model (`folds_of`), by whose errors it learns too: of each on the training images that it left out
    siblings: Annotated[list[Name], Field(min_length=1)] | None = None
    errors_of: Name | None = None  # another model, by whose errors on val it learns in the place of the model's own

    def learns_by(self) -> list[str]:
        return [*([self.errors_of] if self.errors_of else []), *(self.siblings or [])]


_MOVING = ("shift_px", "rotation_degrees", "scale_percent", "crop_percent")
_GEOMETRIC = ("flip", *_MOVING)


class OfViews(Enhancer):
    """An enhancer that looks at several views of an image, geometric ones or, as a placebo, ones with noise."""

    family: Literal["geometry", "noise"]
    n_views: Annotated[int, Field(ge=2, le=1000)]  # the clean image is one
    # largest shift along each axis; None: none
    shift_px: Annotated[list[Annotated[int, Field(ge=0, le=1024)]], Field(min_length=1)] | None = None
    flip: bool | None = None  # whether views are mirrored with probability 1/2; None: no
    # largest, to either side; None: none
    rotation_degrees: Annotated[list[Annotated[float, Field(ge=0, le=180)]], Field(min_length=1)] | None = None
    # largest enlargement or reduction; None: none
    scale_percent: Annotated[list[Annotated[float, Field(ge=0, le=90)]], Field(min_length=1)] | None = None
    # of the sides, of a window somewhere in the image that is enlarged to it; None: no crop
    crop_percent: Annotated[list[Annotated[float, Field(ge=10, le=100)]], Field(min_length=1)] | None = None
    noise_255: Annotated[list[Epsilon], Field(min_length=1)] | None = None  # deviation of the noise

    @model_validator(mode="after")
    def _has_views(self) -> Self:
        given = [key for key in _GEOMETRIC if getattr(self, key) is not None]
        if self.family == "noise":
            if given:
                raise ValueError(f"has no {given[0]} in the family noise; remove it")
            if self.noise_255 is None:
                raise ValueError("needs noise_255 in the family noise; add it")
        elif self.noise_255 is not None:
            raise ValueError("has no noise_255 in the family geometry; remove it, or take the family noise")
        elif not self.flip and not any(self._always_moves(key) for key in _MOVING):
            raise ValueError(f"has views that are the clean image; needs {', '.join(_MOVING)} or flip; raise one")
        return self

    def _always_moves(self, key: str) -> bool:
        still = 100 if key == "crop_percent" else 0
        return still not in (getattr(self, key) or [still])


class Protocol(Strict):
    """How a group decides."""

    runs_models: ClassVar[bool] = False  # whether members are run again, on changed images
    targets_classes: ClassVar[bool] = False  # whether a message is for one class: then there is a persuasion table
    keeps_gains: ClassVar[bool] = False  # of each uncertain image: then there is an information test
    reads_train: ClassVar[bool] = False  # whether something is fitted on training images, too
    label: OwnLabel = None

    def models_run(self, members: list[str]) -> list[str]:
        """Return the members whose predictions are used, by name."""
        return sorted(members)


class ScoreByName(Strict):
    """A confidence score, of which the config gives the name alone, and the facts that checks of the config need."""

    defines_probabilities: ClassVar[bool] = False  # whether calibration metrics can be computed of it
    needs_dropout_passes: ClassVar[bool] = False  # whether evaluation.mc_dropout_passes must be above 0
    needs_features: ClassVar[bool] = False  # whether a model must have `features: true`
    needs_disagreement: ClassVar[bool] = False  # whether a student must have `disagreement`


class OfStudent(Strict):
    """A student's loss, or a transform of its targets."""

    compares_images: ClassVar[bool] = False  # whether the loss of an image depends on the others of its batch
    measures_parts: ClassVar[bool] = False  # of a loss: whether histories have the parts of its divergence
    of_one_label: ClassVar[bool] = False  # whether it is not defined for mixed images, which have two

    @property
    def factor_of_logits(self) -> float | Literal["val"] | None:
        """What a transform multiplies a teacher's logits by; val: 1 / T, fitted there; None: it does something else."""
        return None


class Technique(Strict):
    """A change of how a teacher or a baseline is trained, beyond its recipe and its targets."""

    compares_images: ClassVar[bool] = False  # whether the loss of an image depends on the others of its batch
    n_batches: ClassVar[int] = 1  # of a step that go through the network as one

    def unfit(self, model, recipe) -> str | None:
        """Return what a model or its recipe has that this cannot be combined with, and the remedy; None if nothing."""
        return None


def depth_of_6n_plus(more: int):
    """Return the type of a depth of 6n + `more` layers, n at least 1."""

    def check(depth: int) -> int:
        if depth < 6 + more or (depth - more) % 6:
            near = max(6 * round((depth - more) / 6), 6) + more
            raise PydanticCustomError("depth", f"a depth of this family is 6n + {more}, such as {near}")
        return depth

    return Annotated[int, Field(le=10_000), AfterValidator(check)]


def size_of_three_stages(n_convolutions: int, factor: int) -> "NetworkSize":
    """Return the size of a residual network for small images; n_convolutions: of each stage. factor: of its widths."""
    widths = [16 * factor, 32 * factor, 64 * factor]
    outputs = 16 + n_convolutions * sum(width / 4**i for i, width in enumerate(widths))
    return NetworkSize(9 * n_convolutions * sum(width**2 for width in widths), 4 * widths[0], round(2 * outputs))


def _weights_file(path: str) -> str:
    if not path.endswith((*SAFETENSORS, *PICKLES)):
        raise PydanticCustomError("weights", f"weights are read from files that end in {EITHER}; save them as one")
    return path


WeightsFile = Annotated[str, AfterValidator(_weights_file)]
WeightsKey = Annotated[str, Field(min_length=1)]  # which state dict of a file
Mean = Annotated[list[Fraction], Field(min_length=1, max_length=3)]  # of the channels, of pixels in [0, 1]
Deviation = Annotated[list[Annotated[float, Field(gt=0, le=1)]], Field(min_length=1, max_length=3)]


class FromOthers(Strict):
    """A network that others trained; it has no recipe, so it states itself what it is computed on."""

    device: Device = "auto"
    threads: Processes = 1  # of each operation: another number gives other last bits
    label: OwnLabel = None
    features: KeepsFeatures = False


class FromFile(FromOthers):
    """A network with the weights of a file, and the normalisation that it was trained with."""

    weights: WeightsFile  # the file, of safetensors or of torch
    weights_key: WeightsKey | None = None
    mean: Mean  # of each channel, of pixels in [0, 1], as when it was trained
    deviation: Deviation  # of each channel, as mean


class NetworkSize(NamedTuple):
    """What a network takes when it predicts, roughly and rather too much."""

    parameters: int
    values_a_pixel: int  # of activations that exist at once, for each pixel of its input
    kept_a_pixel: int  # of those that a gradient needs


_TIMM_SIZES = {"large": 350e6, "xlarge": 900e6, "huge": 1.2e9, "giant": 2e9, "gigantic": 2e9}  # parameters at most
_TIMM_SIZE, _TIMM_VALUES, _TIMM_KEPT = 150e6, 64, 700


class FromTimm(Strict):
    """A network of timm, by its name there."""

    def size(self) -> NetworkSize:
        """Return its size by the word of its name that means one, since timm is not imported here."""
        words = re.split(r"[_.]", self.name)
        parameters = int(max([_TIMM_SIZES.get(word, _TIMM_SIZE) for word in words]))
        return NetworkSize(parameters, _TIMM_VALUES, round(_TIMM_KEPT * parameters / _TIMM_SIZE))

    name: str = Field(pattern=r"^[a-z0-9_.]+$")  # timm's, such as resnet50.a1_in1k
    weights: WeightsFile | None = None  # in place of the published ones
    weights_key: WeightsKey | None = None
    mean: Mean | None = None  # and deviation: of the weights, in place of those of timm's config
    deviation: Deviation | None = None  # of each channel, as mean
    patch_px: Count = 4  # of a transformer on images of up to 64 px, where input_px is data


class Style(Strict):
    """What a figure is for, and its size.

    For a paper the width is that of one column or of the page, whatever `width_mm` is, the type is the paper's, and
    the line above the figure is left out: its caption states that.
    """

    model_config = ConfigDict(serialize_by_alias=True)
    purpose: Literal["screen", *PAPERS] = Field("screen", alias="for")  # widths of a paper's columns: docs/how-to.md
    columns: Literal[1, 2] = 1  # of a paper, that the figure is as wide as
    width_mm: Annotated[float, Field(ge=30, le=400)]  # of a screen
    height_mm: Annotated[float, Field(ge=30, le=400)]  # of the figure

    @model_validator(mode="before")
    @classmethod
    def _as_wide_as_columns(cls, given):
        if not isinstance(given, dict) or given.get("for", "screen") not in PAPERS:
            return given
        columns = given.get("columns", 1)
        return given | ({"width_mm": PAPERS[given["for"]][columns - 1]} if columns in (1, 2) else {})

    @model_validator(mode="after")
    def _has_columns_in_papers(self) -> Self:
        if self.purpose == "screen" and self.columns != 1:
            raise ValueError("has columns, which a screen has not; add for: paper, or set width_mm")
        return self

    @model_serializer(mode="wrap")
    def _without_the_screen(self, dump) -> dict:
        screen = {"for", "columns"} if self.purpose == "screen" else set()
        return {key: value for key, value in dump(self).items() if key not in screen}


class Figure(Strict):
    """A figure of the report. Its kind names the files that it reads and what else it is drawn from."""

    reads: ClassVar[tuple[str, ...]]  # inputs of the rule plot_figure, by name
    needs: ClassVar[tuple[str, ...]] = ()  # facts about the study: fields of `figures.context.Context`
    study: Name | None = None  # under which the page shows it; None: under further figures
    dataset: Name
    style: Style

    def named_arms(self) -> list[tuple[str, str]]:
        """Return the arms that the entry names, each after the key that names it."""
        return []

    def shown_arms(self, study) -> list[str]:
        """Return the arms that the figure shows."""
        return [arm for _, arm in self.named_arms()]

    def checks(self, place: str, study) -> Iterator[tuple]:
        """Yield checks of what the entry names besides arms: functions with their arguments, which raise UserError."""
        yield from ()


class FigureOfArms(Figure):
    """A figure of arms that the entry lists."""

    needs: ClassVar[tuple[str, ...]] = ("labels", "looks")
    arms: list[ArmText] = Field(min_length=1)

    def named_arms(self) -> list[tuple[str, str]]:
        return [("arms", arm) for arm in self.arms]


class FigureOfProtocol(Figure):
    """A figure of a group and of one of its protocols whose messages are for a class."""

    needs: ClassVar[tuple[str, ...]] = ("labels",)
    group: Name  # of `groups`
    protocol: Name  # of the group's, one whose messages are for a class

    def shown_arms(self, study) -> list[str]:
        members = study.groups[self.group].members if self.group in study.groups else []
        return [*members, f"{self.group}/{self.protocol}"]

    def checks(self, place: str, study) -> Iterator[tuple]:
        yield self.check_protocol, place, study

    def check_protocol(self, place: str, study) -> None:
        """Raise UserError if there is no such group, or it has no such protocol."""
        check_known(f"{place}.group", self.group, study.groups, "a group")
        fitting = [key for key, protocol in study.protocols.items() if protocol.targets_classes]
        known = [key for key in study.groups[self.group].protocols if key in fitting]
        check_known(f"{place}.protocol", self.protocol, known, "a protocol of the group whose messages are for a class")
