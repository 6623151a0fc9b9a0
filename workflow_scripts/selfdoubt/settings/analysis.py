"""Types of `evaluation`, `comparisons`, `studies` and `hypotheses`."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from selfdoubt.settings.types import ArmText, Name, Strict

CALIBRATION = ("ece", "ece-adaptive", "mce", "nll", "brier")  # of probabilities, which these alone define:
PROBABILITY_SCORES = ("msp", "msp-ts")


def _possible_percent(metric: str) -> str:
    """Refuse a percentage that no coverage and no accuracy can be."""
    base, _, percent = metric.rpartition("-")
    if base in ("coverage-at-sac", "risk-at-coverage") and not 0 < float(percent) <= 100:
        raise ValueError(f"{percent} is no percentage above 0 and up to 100")
    return metric


Metric = Annotated[
    str,
    Field(
        pattern=r"^(accuracy|auroc|aurc|e-aurc|naurc|augrc|coverage-at-sac-\d+(\.\d+)?"
        r"|risk-at-coverage-\d+(\.\d+)?|ece|ece-adaptive|mce|nll|brier|ood-auroc|ood-aupr-in|ood-aupr-out|ood-fpr95)$"
    ),
    AfterValidator(_possible_percent),
]  # those that have a form for resamples, and so an interval
Score = Literal[
    "msp", "msp-ts", "margin", "logit-margin", "entropy", "gini", "energy", "max-logit", "pnorm", "mc-dropout"
]
MetricFamily = Literal[
    "accuracy",
    "auroc",
    "aurc",
    "e-aurc",
    "naurc",
    "augrc",
    "coverage-at-sac",
    "risk-at-coverage",
    "ece",
    "ece-adaptive",
    "ece-classwise",
    "mce",
    "nll",
    "brier",
    "ood-auroc",
    "ood-aupr-in",
    "ood-aupr-out",
    "ood-fpr95",
    "ood-auroc-severity",
]
Percent = Annotated[float, Field(gt=0, le=100)]


class Evaluation(Strict):
    scores: list[Score] = Field(min_length=1)
    metrics: list[MetricFamily] = Field(min_length=1)
    mc_dropout_passes: Annotated[int, Field(ge=0)] = 0  # stochastic passes of predict, for the score mc-dropout
    selective_accuracies_percent: list[Percent]
    coverages_percent: list[Percent]
    ece_bins: Annotated[int, Field(ge=1, le=1_000_000)]  # of each class; more serve nobody and fill the memory
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
