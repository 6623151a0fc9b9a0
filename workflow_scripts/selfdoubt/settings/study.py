"""The whole config, and what rules derive from it.

Rules look it up for each of thousands of jobs, so no look-up may take longer in a larger study.
"""

from functools import cached_property
from typing import Annotated

from pydantic import Field, PrivateAttr, ValidationError

from selfdoubt.runtime.errors import together
from selfdoubt.settings import looks
from selfdoubt.settings.analysis import (
    REPEATED_BY,
    SCORES,
    Claim,
    Comparison,
    Evaluation,
    Hypothesis,
    InformationClaim,
    MaskCheck,
    Pictures,
    StudyText,
)
from selfdoubt.settings.data import OodSet
from selfdoubt.settings.data_folder import expanded
from selfdoubt.settings.datasets import AnyDataset
from selfdoubt.settings.faults import faults
from selfdoubt.settings.groups import Group
from selfdoubt.settings.left_out import without_left_out
from selfdoubt.settings.metrics import METRICS, split_name
from selfdoubt.settings.models import Augmented, LabelModel, Model, Network, Pretrained, Recipe, SoftLabels, Student
from selfdoubt.settings.numbers import put_numbers
from selfdoubt.settings.predictions import GivenPredictions, PredictedData
from selfdoubt.settings.references import check_references
from selfdoubt.settings.registry import FURTHER_LOSS, FURTHER_OUTPUT, MIXER, any_of, modules_named, modules_of
from selfdoubt.settings.replicates import Draws, Replicates
from selfdoubt.settings.robust import Robust
from selfdoubt.settings.segmenters import Segmenter
from selfdoubt.settings.serving import replicates_served
from selfdoubt.settings.student_views import ViewsOfStudents
from selfdoubt.settings.twins import or_twins, with_twins
from selfdoubt.settings.types import ArmText, Count, Label, Licence, Name, RunName, Strict
from selfdoubt.settings.upper_bounds import has_true_masks


class Study(ViewsOfStudents, Strict):
    """The whole config. Every mapping is keyed by names that paths are made of."""

    run: RunName = "default"
    replicates: Replicates
    looks: list[Count] = []  # those of `replicates`, of which they are taken
    look: dict[Name, Count] = {}  # of each study, the number of its present look, which take_looks.py writes
    data_folder: Annotated[Annotated[str, Field(min_length=1)] | None, Field(exclude=True)] = None
    datasets: dict[Name, AnyDataset] = Field(min_length=1)
    ood_sets: dict[Name, OodSet] = {}  # images of other classes, for the `ood` of data sets
    networks: dict[Name, Network]
    recipes: dict[Name, Recipe]  # how models are trained: docs/training.md
    teachers: dict[Name, or_twins(LabelModel)] = {}
    baselines: dict[Name, or_twins(LabelModel)] = {}
    students: dict[Name, or_twins(Student)] = {}
    soft_labels: SoftLabels = SoftLabels()
    augmented: dict[Name, or_twins(Augmented)] = {}
    robust: dict[Name, Robust] = {}  # models that are fine-tuned on adversarial images: docs/training.md
    pretrained: dict[Name, Pretrained] = {}
    predictions: dict[Name, GivenPredictions] = {}  # models of which others made the predictions: docs/metrics.md
    segmenters: dict[Name, Segmenter] = {}
    enhancers: dict[Name, any_of("enhancers")] = {}
    protocols: dict[Name, any_of("protocols")] = {}
    groups: dict[Name, Group] = {}  # models that decide together: docs/communication.md
    evaluation: Evaluation
    comparisons: list[Comparison] = []
    studies: dict[Name, StudyText] = {}  # questions, each with a card and a chapter of the report
    manipulation_checks: dict[Name, Claim] = {}
    mask_checks: dict[Name, MaskCheck] = {}  # that masks are nearer to the true ones than something else
    information_claims: dict[Name, InformationClaim] = {}  # that gains by messages say what predictions do not
    hypotheses: dict[Name, Hypothesis] = {}
    # arm, model or group -> why it is left out, with all that needs it
    left_out: dict[ArmText, Annotated[str, Field(min_length=1)]] = {}
    pictures: Pictures | None = None  # null: none
    # each becomes results/RUN/figures/NAME.{svg,pdf,png}, and is shown with its study: docs/report.md
    figures: dict[Name, any_of("figures", by="kind")] = {}
    labels: dict[ArmText, Label] = {}  # by which figures and tables show an arm, before the `label` of its entry
    licence: Licence = None  # of what the run makes, for its record

    _notes: dict[str, list[str]] = PrivateAttr(default_factory=dict)

    @property
    def notes_of_left_out(self) -> dict[str, list[str]]:
        """What is left out, in sentences by study; "": of studies that are left out."""
        return self._notes

    @cached_property
    def models(self) -> dict[str, Model | Pretrained]:
        """Every model that has a network, by name, whatever its role."""
        return {**self.teachers, **self.baselines, **self.students, **self.augmented, **self.robust, **self.pretrained}

    @cached_property
    def predicting(self) -> dict[str, Model | Pretrained | GivenPredictions]:
        """Every model of which there are predictions, by name: those with a network, and those of `predictions`."""
        return {**self.models, **self.predictions}

    @cached_property
    def mixed(self) -> dict[str, Augmented | Student]:
        """Every model that learns from mixed images, by name."""
        students = {name: student for name, student in self.students.items() if student.mixing}
        return {**self.augmented, **students}

    def featured(self) -> list[str]:
        """Return the models that keep features beside their predictions, by name."""
        return sorted(name for name, model in self.models.items() if model.features)

    def disagreeing(self) -> list[str]:
        """Return the students with a further output, which learns how far their teachers disagree."""
        return [name for name, student in self.students.items() if student.disagreement]

    def without_images(self, dataset: str) -> bool:
        """Return whether nothing but predictions is known of a data set."""
        return isinstance(self.datasets[dataset], PredictedData)

    def draws_of(self, dataset: str) -> Draws:
        """Return which training images the replicates of a data set have."""
        entry = self.datasets[dataset]
        n_images = getattr(entry, "train_images_per_replicate", None)
        if n_images is None:
            return Draws("pool")
        return Draws("overlapping" if entry.overlapping_draws else "disjoint", n_images)

    def own_images(self, dataset: str) -> dict:
        """Return the setting of jobs that read training images: which of them are a replicate's; nothing if all are."""
        draws = self.draws_of(dataset)
        return {} if draws.kind == "pool" else {"own_images": draws._asdict()}

    def role(self, name: str) -> str:
        """Return teacher, baseline, student, augmented, robust, pretrained, given or group."""
        for role, members in ROLES.items():
            if name in getattr(self, members):
                return role
        raise KeyError(name)

    def replicates_of(self, name: str) -> list[int]:
        """Return the replicates that a model or a group is there for.

        The first alone where nothing is trained, and those of whose teacher a segmenter serves all where nothing else
        needs the model.
        """
        if self.is_pretrained(name):
            return self.replicates[:1]
        if name in self._served:
            return self._served[name]
        n = self._n_by_name.get(name, self.looks[0]) if self.looks else None
        return sorted(self.replicates)[:n]

    @cached_property
    def _served(self) -> dict[str, list[int]]:
        return replicates_served(self)

    @cached_property
    def _n_by_name(self) -> dict[str, int]:
        return looks.by_name(self)

    @cached_property
    def present(self) -> list[int]:
        """The replicates that are evaluated at present: all, or those of the study that has come farthest."""
        return sorted(self.replicates)[: looks.most_replicates(self)]

    def replicates_at(self, study: str) -> list[int]:
        """Return the replicates with which a study is evaluated."""
        return sorted(self.replicates)[: looks.n_replicates(self, study)]

    def level(self, study: str) -> float:
        """Return the level of each family of a study."""
        return looks.level(self, study)

    def is_pretrained(self, name: str) -> bool:
        """Return whether a model, or every member of a group, was trained elsewhere, and so has one replicate."""
        members = self.groups[name].members if name in self.groups else [name]
        return all(member in self.pretrained or member in self.predictions for member in members)

    def has_soft_labels(self, dataset: str, name: str) -> bool:
        """Return whether labels of several people are known of what a model or a group predicts."""
        members = self.groups[name].members if name in self.groups else [name]
        others = {member for member in members if member in self.predictions and self.predictions[member].own_order}
        return self.datasets[dataset].soft_labels is not None and not others

    def replicate_of(self, name: str, replicate: int | str) -> int:
        """Return which replicate's model or group stands for `name` among those of a replicate."""
        if self.is_pretrained(name):
            return self.replicates[0]
        own = self._served.get(name, [int(replicate)])
        return int(replicate) if int(replicate) in own else own[0]

    def segmented_by(self, segmenter: str, replicate: int | str) -> int:
        """Return the replicate whose segmenter makes the masks of a replicate: its own, or the one that serves all."""
        shared = self.segmenters[segmenter].teacher_replicate
        return int(replicate) if shared is None else shared

    def masks_on(self, dataset: str, name: str) -> str | None:
        """Return the source of the masks of a data set that a model mixes by, or None: by a segmenter's, or by none."""
        model = self.models[name]
        if model.masks != "truth":
            return model.masks
        known = self.datasets[dataset].mask_truth
        return None if known == "none" else known

    def segmenter_on(self, dataset: str, name: str) -> str | None:
        """Return the segmenter by whose masks a model mixes the images of a data set, if it does."""
        return None if self.masks_on(dataset, name) else self.models[name].segmenter

    def own_masks(self, dataset: str, segmenter: str, replicate: int | str) -> dict:
        """Return the settings of a segmenter's jobs that differ between replicates; nothing where one serves all."""
        if self.segmenters[segmenter].teacher_replicate is not None:
            return {}
        return {"replicate": int(replicate), **self.own_images(dataset)}

    def predicting_members(self, group: str, protocol: str) -> list[str]:
        """Return the members whose predictions a protocol uses, by name."""
        return self.protocols[protocol].models_run(self.groups[group].members)

    def weights(self, name: str) -> str | None:
        """Return the file that a model's network starts from, or is."""
        return getattr(self.network_of(name), "weights", None)

    def network_of(self, name: str):
        """Return the network of a model, which was trained elsewhere or is here."""
        return self.pretrained.get(name) or self.networks[self.models[name].network]

    def model_settings(self, name: str) -> dict:
        """Return all that a model's training depends on, but for the files that it reads."""
        if name in self.pretrained:
            network = self.pretrained[name].model_dump(exclude={"weights", "device", "threads"}, exclude_none=True)
            return {"network": {"pretrained": self.weights(name) is None, **network}}
        own = self.models[name].model_dump(exclude={"teacher", "segmenter", "fine_tuned_from"})
        own["network"] = self.networks[own["network"]].model_dump(exclude={"weights"}, exclude_none=True)
        own["recipe"] = self.recipes[own["recipe"]].model_dump()
        if name in self.students:
            own["top_k"] = self.soft_labels.top_k
        return own

    def computing(self, names: list[str]) -> tuple[str, int]:
        """Return the device and the threads that models compute on together, from recipes or their own entries.

        The device is cpu if one of them is kept from GPUs, else cuda if one requires it; the threads are the most.
        """
        entries = [self.pretrained.get(name) or self.recipes[self.models[name].recipe] for name in names]
        devices = {entry.device for entry in entries}
        device = next((known for known in ("cpu", "cuda") if known in devices), "auto")
        return device, max((entry.threads for entry in entries), default=1)

    def modules_of_model(self, name: str) -> tuple[str, ...]:
        """Return the modules of the methods that a model's training names, and of the families that it builds."""
        return self._modules[name]

    @cached_property
    def _modules(self) -> dict[str, tuple[str, ...]]:
        teachers = {name: student.teacher for name, student in self.students.items()}
        built = {name: self.families_of(name, *teachers.get(name, ())) for name in self.models}
        parts = {name: {*modules_of(model), *built[name]} for name, model in self.models.items()}
        for name in self.mixed:
            parts[name].add(MIXER)
        for name in self.disagreeing():
            parts[name].add(FURTHER_LOSS)
        return {name: tuple(sorted(found)) for name, found in parts.items()}

    def families_of(self, *names: str) -> tuple[str, ...]:
        """Return the modules of the networks of models, which a job needs that loads their checkpoints."""
        found = modules_named("families", {self._families[name] for name in names})
        return (*found, FURTHER_OUTPUT) if {*names} & {*self.disagreeing()} else found

    @cached_property
    def _families(self) -> dict[str, str]:
        trained = {name: model for name, model in self.models.items() if name not in self.pretrained}
        own = {name: self.networks[model.network].family for name, model in trained.items()}
        return own | {name: model.family for name, model in self.pretrained.items()}

    def modules_of_protocol(self, name: str) -> tuple[str, ...]:
        """Return the modules of a protocol and of the message that its members send, if they do."""
        entry = self.protocols[name]
        message = getattr(entry, "message", None)
        return (*modules_of(entry), *modules_named("messages", [message] if message else []))

    def variants(self, name: str) -> list[str]:
        """Return the ways in which predictions of a model or a group are made."""
        if name in self.groups:
            return list(self.groups[name].protocols)
        return ["clean", *(key for key, enhancer in self.enhancers.items() if name in enhancer.models)]

    def arms(self) -> list[str]:
        """Return every arm, a model's or group's variants together: the order of colours."""
        return [
            name if variant == "clean" else f"{name}/{variant}"
            for name in [*self.predicting, *self.groups]
            for variant in self.variants(name)
        ]

    def label(self, arm: str) -> str:
        """Return how figures and tables show an arm: by its own label, or its model's or group's with the variant's."""
        name, _, variant = arm.partition("/")
        entries = self.groups.get(name) or self.predicting.get(name), self._variants.get(variant)
        own = [getattr(entry, "label", None) for entry in entries]
        shown = (self.labels.get(name) or own[0] or name, own[1] or variant)
        return self.labels.get(arm) or "/".join(part for part in shown if part)

    @cached_property
    def _variants(self) -> dict:
        return {**self.enhancers, **self.protocols}

    def repeated_by(self, claim: Claim) -> list[str]:
        """Return the scores by which a claim by msp is repeated, of those that are evaluated."""
        takes_any = METRICS[split_name(claim.metric)[0]].kind != "calibration"
        scores = [score for score in REPEATED_BY if takes_any or SCORES[score].defines_probabilities]
        return [score for score in scores if score in self.evaluation.scores] if claim.score == "msp" else []

    def tuned_on(self, arm: str) -> str | None:
        """Return the OOD split that an arm's settings are chosen on, None where it is val, as elsewhere."""
        name, variant = parse_arm(arm)
        enhancer = self.enhancers.get(variant)
        return getattr(enhancer, "tune_on", None) if enhancer and name in enhancer.models else None

    def upper_bounds(self) -> list[str]:
        """Return the arms that are upper bounds: those that read labels, and models that mix by true masks."""
        truths = {dataset.mask_truth for dataset in self.datasets.values()}
        masked = [name for name, model in self.mixed.items() if has_true_masks(model.masks, truths)]
        return self.label_readers() + masked

    def label_readers(self) -> list[str]:
        """Return the arms that read the true labels of the images they are evaluated on."""
        reading = {key: enhancer for key, enhancer in self.enhancers.items() if enhancer.reads_labels}
        return [f"{model}/{key}" for key, enhancer in reading.items() for model in enhancer.models]


ROLES = {
    "teacher": "teachers",
    "baseline": "baselines",
    "student": "students",
    "augmented": "augmented",
    "robust": "robust",
    "pretrained": "pretrained",
    "given": "predictions",
    "group": "groups",
}


def load_study(config: dict) -> Study:
    """Check the config and return it as a Study; raises UserError with a line for each fault that stands by itself.

    What is null is left out, so that a study which overrides config.yaml can take away; `{data_folder}` is put into
    paths; a figure that names no data set shows the first; entries that stand for twins give way to them.
    """
    config = looks.unfolded(expanded(_without_nulls(config)))
    if isinstance(config.get("figures"), dict):
        datasets = config.get("datasets")
        # where there is no data set, that is the fault to report, not that figures lack one
        first = {"dataset": next(iter(datasets), "none") if isinstance(datasets, dict) else "none"}
        figures = config["figures"].items()
        config["figures"] = {key: first | figure if isinstance(figure, dict) else figure for key, figure in figures}
    study = without_left_out(with_twins(_typed(config)))
    check_references(study)
    return study


def _typed(config: dict) -> Study:
    """Return the config as a Study; where numbers were written as texts, they are put in their place."""
    try:
        return Study.model_validate(config)
    except ValidationError as error:
        errors = error.errors()
    if put_numbers(config, errors):
        return _typed(config)
    raise together(faults(errors, config, Study))


def _without_nulls(config):
    """Return a copy without the nulls of mappings: null and left out mean the same for every key."""
    if isinstance(config, list):
        return [_without_nulls(value) for value in config]
    if not isinstance(config, dict):
        return config
    return {key: _without_nulls(value) for key, value in config.items() if value is not None}


def parse_arm(arm: str) -> tuple[str, str]:
    """Return (model or group, variant) of an arm's text; a model alone means its clean predictions."""
    name, _, variant = arm.partition("/")
    return name, variant or "clean"
