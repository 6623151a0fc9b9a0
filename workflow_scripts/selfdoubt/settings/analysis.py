"""Types of `evaluation`, `comparisons`, `studies` and `hypotheses`."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_serializer, model_validator

from selfdoubt.settings.choices import not_one_of
from selfdoubt.settings.metrics import METRICS, pattern, split_name
from selfdoubt.settings.registry import settings_of
from selfdoubt.settings.types import ArmText, Count, Name, Positive, Strict

SCORES = settings_of("scores", by="score")  # the facts about each that checks of the config need, by name
ALPHA = 0.05
REPEATED_BY = ("msp-ts", "pnorm")  # an advantage that a temperature or a norm takes away is one of calibration
COMPARED = [pattern(family) for family, metric in METRICS.items() if metric.resampled]


def _check_metric(name: str) -> str:
    """Refuse what is no metric that can be compared, and a percentage that no coverage and no accuracy can be."""
    family, percent = split_name(name)
    if family not in METRICS or pattern(family) not in COMPARED or (pattern(family) != family) != (percent is not None):
        raise ValueError(not_one_of(name, COMPARED, "a metric with an interval"))
    if percent is not None and not 0 < float(percent) <= 100:
        raise ValueError(f"{percent} is not a percentage above 0 and up to 100")
    return name


def _check_text(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty; write it down")
    return text


def _check_writable(percent: float) -> float:
    if float(text := f"{percent:g}") != percent or "e" in text:
        raise ValueError(f"{percent} cannot stand in a metric's name; round it to at most four decimals")
    return percent


Metric = Annotated[str, AfterValidator(_check_metric)]
Text = Annotated[str, AfterValidator(_check_text)]
Score = Literal[tuple(SCORES)]
MetricFamily = Literal[tuple(METRICS)]
Percent = Annotated[float, Field(gt=0, le=100), AfterValidator(_check_writable)]

Fraction = Annotated[float, Field(gt=0, lt=1)]


class Guarantees(Strict):
    scores: list[Score] = Field(min_length=1)  # whose thresholds on val have a bound on the risk
    target_risks: list[Fraction]  # of what a threshold accepts
    delta: Fraction  # of val and test, how often the bound on the risk may be broken
    n_resplits: Annotated[int, Field(ge=1, le=1_000_000)]  # of the rows of val and test, to count how often it is
    alphas: list[Fraction]  # of conformal sets, which have the label with a probability of 1 - alpha
    raps_penalty: Annotated[float, Field(ge=0, le=100)]  # for each class beyond the free ones
    # the most probable ones, which have no penalty (Angelopoulos et al. 2021)
    raps_free_classes: Annotated[int, Field(ge=0, le=1_000_000)]


class Information(Strict):
    penalty: Annotated[list[Positive], Field(min_length=1)]  # of squared weights; one is chosen by cross-validation
    n_folds: Annotated[int, Field(ge=2, le=1000)]  # of the contested images of test, and of those of a fit
    margin: Positive  # nats an image, below which a difference does not matter


class Evaluation(Strict):
    scores: list[Score] = Field(min_length=1)  # of all predictions: docs/metrics.md
    metrics: list[MetricFamily] = Field(min_length=1)
    mc_dropout_passes: Annotated[int, Field(ge=0, le=100_000)] = 0  # of predict, for the score mc-dropout
    selective_accuracies_percent: list[Percent]  # of coverage-at-sac-X
    coverages_percent: list[Percent]  # of risk-at-coverage-X
    ood_mixed_percent: list[Annotated[float, Field(gt=0, le=99.999)]] = []  # of OOD images, in splits ood-NAME@PERCENT
    ece_bins: Annotated[int, Field(ge=1, le=1_000_000)]  # of each class; more fill the memory to no use
    n_resamples: Annotated[int, Field(ge=100, le=1_000_000)]
    resampled_splits: list[str]
    guarantees: Guarantees | None = None
    information: Information | None = None  # the test of what gains by messages and views say; null: none

    def all_scores(self) -> list[str]:
        """Return the scores that anything is computed of, each once."""
        return list(dict.fromkeys([*self.scores, *(self.guarantees.scores if self.guarantees else [])]))

    def feature_scores(self) -> list[str]:
        """Return those of them that are computed from features, by name."""
        return sorted(score for score in self.all_scores() if SCORES[score].needs_features)


class Comparison(Strict):
    metric: Metric
    score: Literal[Score, "none"]
    split: str


class StudyText(Strict):
    title: Text  # of its card and its chapter
    question: Text  # to which its card has the answer
    background: str  # prior work, for the report
    protocol: str  # what is done, for the report
    threats: str  # to validity, for the report
    reference: ArmText  # with which each of the arms is compared
    arms: list[ArmText] = Field(min_length=1)
    rounds: Annotated[int, Field(ge=1, le=3)] = 1  # of registered runs on fresh replicates, which share the level
    round: Annotated[int, Field(ge=1, le=3)] = 1  # the present one: rounds.py

    @model_validator(mode="after")
    def _check_round(self):
        if self.round > self.rounds:
            raise ValueError(f"round {self.round}, but rounds is {self.rounds}; set it as it was first registered")
        return self

    def alpha(self) -> float:
        """Return the level of each of its families."""
        return ALPHA / self.rounds


Arms = ArmText | Annotated[list[ArmText], Field(min_length=1)]


class NoLoss(Comparison):
    """What must not become worse by more than a margin."""

    score: Literal[Score, "none"] = "none"
    split: str | None = None  # null: the claim's
    margin: Positive | None = None  # in the metric's unit; null: docs/metrics.md


class Claim(Comparison):
    """Two arms and the side on which their difference is expected; lists make a claim that is compound."""

    study: Name
    statement: Text
    better: Arms  # a list: each of them, or, of networks, one of each pair
    than: Arms  # a list: each of them, or, of networks, the other of each pair
    units: Literal["replicates", "networks"] = "replicates"  # networks: the pairs take the place of replicates
    margin: Positive | None = None  # the smallest difference of interest, in the metric's unit; null: docs/metrics.md
    no_loss: list[NoLoss] = []  # what must not become worse by more than a margin besides
    datasets: Annotated[list[Name], Field(min_length=1)] | None = None  # null: all
    on_at_least: Count | None = None  # data sets, for one claim over all of them; null: a claim on each

    def pairs(self) -> list[tuple[str, str]]:
        """Return (better, than) of each comparison that the claim is made of."""
        better, than = (one if isinstance(one, list) else [one] for one in (self.better, self.than))
        if self.units == "networks":
            return list(zip(better, than, strict=False))
        return [(one, other) for one in better for other in than]

    def arms(self) -> list[str]:
        """Return every arm that the claim names."""
        return list(dict.fromkeys(arm for pair in self.pairs() for arm in pair))

    def quantities(self) -> list[Comparison]:
        """Return what its arms are compared by."""
        return [self, *(each.model_copy(update={"split": each.split or self.split}) for each in self.no_loss)]


class Hypothesis(Claim):
    registered: bool = True  # false: its numbers were known, or could be, before it was written down
    primary: bool = False  # the one claim of its study that is tested at the whole level; all others are one family


class InformationClaim(Strict):
    """That gains by messages or views say of contested images what the members' predictions do not.

    A claim compares two arms by their predictions; gains are in the information test, which asks less of a protocol.
    """

    study: Name
    statement: Text
    protocol: ArmText  # group/protocol, of which gains are kept
    datasets: Annotated[list[Name], Field(min_length=1)] | None = None  # null: all
    on_at_least: Count | None = None  # data sets, for one claim over all of them; null: a claim on each
    registered: bool = True  # false: its numbers were known, or could be, before it was written down
    margin: Positive | None = None  # nats; null: that of evaluation.information


class Pictures(Strict):
    """Test images that the page shows with what arms predict of them."""

    n_images: Annotated[int, Field(ge=1, le=1000)]  # of each list
    thumbnail_px: Annotated[int, Field(ge=8, le=1024)]  # larger images are made smaller
    max_kb: Count  # of all pictures of a study


class MaskCheck(Strict):
    """That masks are nearer to the true ones, by their mean IoU, than a box or than what their segmenter learned from.

    A claim compares two arms by their predictions; masks are no arm's.
    """

    study: Name
    statement: Text
    segmenter: Name
    # one box in the middle of every image; or the maps that the segmenter learned from, above its foreground_above
    than: Literal["centred-box", "pseudo-masks"] = "centred-box"
    datasets: Annotated[list[Name], Field(min_length=1)] | None = None  # null: all whose true masks are known
    registered: bool = True  # false: its numbers were known, or could be, before it was written down
    margin: Positive | None = None  # of the IoU; null: docs/metrics.md

    @model_serializer(mode="wrap")
    def _without_the_box(self, dump) -> dict:
        return {key: value for key, value in dump(self).items() if (key, value) != ("than", "centred-box")}
