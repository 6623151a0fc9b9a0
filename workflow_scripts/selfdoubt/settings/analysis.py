"""Types of `evaluation`, `comparisons`, `studies` and `hypotheses`."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from selfdoubt.settings.choices import not_one_of
from selfdoubt.settings.types import ArmText, Name, Strict

CALIBRATION = ("ece", "ece-adaptive", "mce", "nll", "brier")  # of probabilities, which these alone define:
PROBABILITY_SCORES = ("msp", "msp-ts")


COMPARED = ("accuracy", "auroc", "aurc", "e-aurc", "naurc", "augrc", "coverage-at-sac-PERCENT")
COMPARED += ("risk-at-coverage-PERCENT", "ece", "ece-adaptive", "mce", "nll", "brier")
COMPARED += ("ood-auroc", "ood-aupr-in", "ood-aupr-out", "ood-fpr95")  # that have a form for resamples: an interval


def _checked_metric(metric: str) -> str:
    """Refuse what is no metric that can be compared, and a percentage that no coverage and no accuracy can be."""
    base, _, percent = metric.rpartition("-")
    if f"{base}-PERCENT" in COMPARED and re.fullmatch(r"\d+(\.\d+)?", percent):
        if not 0 < float(percent) <= 100:
            raise ValueError(f"{percent} is no percentage above 0 and up to 100")
    elif metric not in COMPARED or metric.endswith("-PERCENT"):
        raise ValueError(not_one_of(metric, COMPARED, "a metric with an interval"))
    return metric


def _said(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty; write it down")
    return text


Metric = Annotated[str, AfterValidator(_checked_metric)]
Text = Annotated[str, AfterValidator(_said)]
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
    score: Literal[Score, "none"]
    split: str


class StudyText(Strict):
    title: Text
    question: Text
    background: str
    protocol: str
    threats: str
    reference: ArmText
    arms: list[ArmText] = Field(min_length=1)


class Hypothesis(Comparison):
    study: Name
    statement: Text
    better: ArmText
    than: ArmText
