"""Types of `evaluation`, `comparisons`, `studies` and `hypotheses`."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from selfdoubt.settings.choices import not_one_of
from selfdoubt.settings.metrics import METRICS, pattern, split_name
from selfdoubt.settings.registry import settings_of
from selfdoubt.settings.types import ArmText, Name, Strict

SCORES = settings_of("scores", by="score")  # the facts about each that checks of the config need, by name
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


Metric = Annotated[str, AfterValidator(_check_metric)]
Text = Annotated[str, AfterValidator(_check_text)]
Score = Literal[tuple(SCORES)]
MetricFamily = Literal[tuple(METRICS)]
Percent = Annotated[float, Field(gt=0, le=100)]


class Evaluation(Strict):
    scores: list[Score] = Field(min_length=1)
    metrics: list[MetricFamily] = Field(min_length=1)
    mc_dropout_passes: Annotated[int, Field(ge=0)] = 0  # stochastic passes of predict, for the score mc-dropout
    selective_accuracies_percent: list[Percent]
    coverages_percent: list[Percent]
    ece_bins: Annotated[int, Field(ge=1, le=1_000_000)]  # of each class; more fill the memory to no use
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
    registered: bool = True  # false: its numbers were known, or could be, before it was written down
