"""config.yaml as types: a typo, a wrong unit or a dangling name fails while the DAG is built.

`load_study(config)` returns a Study or raises UserError with one line that names the key and the remedy.
Rules ask the Study for the part of the config that a job depends on; scripts get that part as JSON and
never see this module, so that a new key here reruns nothing.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from selfdoubt.errors import UserError
from selfdoubt.settings_messages import one_line
from selfdoubt.settings_references import check_references

Name = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
ArmText = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*(/[a-z0-9]+(-[a-z0-9]+)*)?$")]
Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
BelowOne = Annotated[float, Field(ge=0, lt=1)]
Count = Annotated[int, Field(ge=1)]
Epsilon = Annotated[float, Field(ge=0.01, le=128)]  # in 255ths of the pixel range
Metric = Annotated[
    str,
    Field(
        pattern=r"^(accuracy|auroc|aurc|e-aurc|naurc|augrc|coverage-at-sac-[0-9.]+|risk-at-coverage-[0-9.]+|ece"
        r"|nll|brier|ood-auroc|ood-aupr-out|ood-fpr95)$"
    ),
]  # those that have a form for resamples, and so an interval
Device = Literal["auto", "cpu", "cuda"]


class Strict(BaseModel):
    """No unknown keys, no conversions ("7" is not 7), no changes."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Corruptions(Strict):
    names: list[Literal["gaussian-noise", "gaussian-blur", "contrast", "rotation"]] = Field(min_length=1)
    severities: list[Annotated[int, Field(ge=1, le=5)]] = Field(min_length=1)
    n_images: Count


class Dataset(Strict):
    source: str = Field(pattern=r"^embedded:[a-z0-9-]+$")
    mask_truth: Literal["nonzero-pixels", "none"] = "none"
    ood: list[Name] = []
    corruptions: Corruptions | None = None


class OodSet(Strict):
    source: Literal["sklearn:digits"]


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


class Segmenter(Strict):
    teacher: Name
    teacher_seed: int
    architecture: str = Field(pattern=r"^[A-Za-z0-9]+$")
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


class Odin(Strict):
    method: Literal["odin"]
    models: list[Name] = Field(min_length=1)
    epsilon_255: list[Epsilon] = Field(min_length=1)
    temperature: list[Positive] = Field(min_length=1)


class AntiAdversary(Strict):
    method: Literal["anti-adversary"]
    models: list[Name] = Field(min_length=1)
    epsilon_255: list[Epsilon] = Field(min_length=1)
    n_steps: Count


class RandomSign(Strict):
    method: Literal["random-sign"]
    models: list[Name] = Field(min_length=1)
    epsilon_255: list[Epsilon] = Field(min_length=1)


class MeanProbability(Strict):
    method: Literal["mean-probability"]


class Persuasion(Strict):
    method: Literal["persuasion"]
    message: Literal["gradient", "random-sign"]
    epsilon_255: Epsilon
    n_steps: Count
    n_candidates: Annotated[int, Field(ge=2)]
    contested_below: Fraction


class Group(Strict):
    members: list[Name] = Field(min_length=2)
    protocols: list[Name] = Field(min_length=1)


Score = Literal["msp", "msp-ts", "margin", "logit-margin", "entropy", "gini", "energy", "max-logit", "pnorm"]
Percent = Annotated[float, Field(gt=0, le=100)]


class Evaluation(Strict):
    scores: list[Score] = Field(min_length=1)
    selective_accuracies_percent: list[Percent]
    coverages_percent: list[Percent]
    ece_bins: Count
    n_resamples: Annotated[int, Field(ge=100)]
    resampled_splits: list[str]


class Comparison(Strict):
    metric: Metric
    score: Score | Literal["none"]
    split: str


class StudyText(Strict):
    title: str
    question: str
    background: str
    protocol: str
    threats: str
    reference: ArmText
    arms: list[ArmText] = Field(min_length=1)


class Hypothesis(Comparison):
    study: Name
    statement: str
    better: ArmText
    than: ArmText


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
    split: str
    score: Score


class EnhancementExamples(Figure):
    kind: Literal["enhancement-examples"]
    model: Name
    seed: int
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


def _one_of(*types, by: str):
    union = types[0]
    for kind in types[1:]:
        union |= kind
    return Annotated[union, Field(discriminator=by)]


class Study(Strict):
    """The whole config. Every mapping is keyed by names that paths are made of."""

    seeds: list[Annotated[int, Field(ge=0)]] = Field(min_length=1)
    datasets: dict[Name, Dataset] = Field(min_length=1)
    ood_sets: dict[Name, OodSet] = {}
    networks: dict[Name, _one_of(ConvNet, Timm, by="family")]
    recipes: dict[Name, Recipe]
    teachers: dict[Name, LabelModel] = {}
    baselines: dict[Name, LabelModel] = {}
    students: dict[Name, Student] = {}
    soft_labels: SoftLabels = SoftLabels()
    augmented: dict[Name, Augmented] = {}
    segmenters: dict[Name, Segmenter] = {}
    enhancers: dict[Name, _one_of(Odin, AntiAdversary, RandomSign, by="method")] = {}
    protocols: dict[Name, _one_of(MeanProbability, Persuasion, by="method")] = {}
    groups: dict[Name, Group] = {}
    evaluation: Evaluation
    comparisons: list[Comparison] = []
    studies: dict[Name, StudyText] = {}
    hypotheses: dict[Name, Hypothesis] = {}
    figures: dict[
        Name,
        _one_of(
            RiskCoverage,
            Reliability,
            AurocAccuracy,
            EnhancementExamples,
            MaskGallery,
            PersuasionMatrix,
            by="kind",
        ),
    ] = {}

    @property
    def models(self) -> dict[str, Model]:
        """Every model by name, whatever its role."""
        return {**self.teachers, **self.baselines, **self.students, **self.augmented}

    def role(self, name: str) -> str:
        """Return teacher, baseline, student, augmented or group."""
        for role, members in ROLES.items():
            if name in getattr(self, members):
                return role
        raise KeyError(name)

    def model_settings(self, name: str) -> dict:
        """Return all that a model's training depends on, but for the files that it reads."""
        own = self.models[name].model_dump(exclude={"teacher", "segmenter"})
        own["network"] = self.networks[own["network"]].model_dump()
        own["recipe"] = self.recipes[own["recipe"]].model_dump()
        if name in self.students:
            own["top_k"] = self.soft_labels.top_k
        return own

    def views(self, student: str) -> dict:
        """Return all that a student's stream of views, and a teacher's answers to it, depend on."""
        return self.recipes[self.students[student].recipe].model_dump(include=set(_VIEWS))

    def stores_soft_labels(self, student: str) -> bool:
        """Return whether a student reads its teacher's answers from a file: in auto, where another one does too."""
        if self.soft_labels.mode != "auto":
            return self.soft_labels.mode == "stored"
        wanted = (self.students[student].teacher, self.views(student))
        return sum((other.teacher, self.views(name)) == wanted for name, other in self.students.items()) > 1

    def variants(self, name: str) -> list[str]:
        """Return the ways in which predictions of a model or a group are made."""
        if name in self.groups:
            return list(self.groups[name].protocols)
        return ["clean", *(key for key, enhancer in self.enhancers.items() if name in enhancer.models)]


_VIEWS = ("epochs", "batch_size", "shift_px", "crop", "flip", "n_workers", "precision", "device", "threads")

ROLES = {
    "teacher": "teachers",
    "baseline": "baselines",
    "student": "students",
    "augmented": "augmented",
    "group": "groups",
}


def load_study(config: dict) -> Study:
    """Check the config and return it as a Study; raises UserError naming the first wrong key."""
    try:
        study = Study.model_validate(config)
    except ValidationError as error:
        raise UserError(one_line(error.errors(), config, Study)) from None
    check_references(study)
    return study


def parse_arm(arm: str) -> tuple[str, str]:
    """Return (model or group, variant) of an arm's text; a model alone means its clean predictions."""
    name, _, variant = arm.partition("/")
    return name, variant or "clean"
