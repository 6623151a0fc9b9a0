"""The metrics by name: which direction is better, what they are computed from, and at which percentages.

The functions are in `evaluation.metrics`, the labels of the report in `figures.formats`. Jobs import this module, so it
imports nothing of the config's types.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from selfdoubt.runtime.errors import UserError


@dataclass(frozen=True)
class Metric:
    """What is known of a metric without computing it."""

    better: int  # +1 if a higher value is better, -1 if a lower one is
    kind: str  # accuracy, ranking, calibration, ood, class-ood or failure: the summary from which it is computed
    resampled: bool = True  # whether it can be computed of bootstrap resamples, and so has an interval and is compared
    percentages: str | range | None = None  # of which each is a metric; str: the key of `evaluation` that lists them
    margin: float | None = None  # the smallest difference of interest; None: RELATIVE_MARGIN of the reference's value


RELATIVE_MARGIN = 0.05

METRICS = {
    "accuracy": Metric(+1, "accuracy", margin=0.003),
    "auroc": Metric(+1, "ranking", margin=0.005),
    "aurc": Metric(-1, "ranking"),
    "e-aurc": Metric(-1, "ranking"),
    "naurc": Metric(-1, "ranking"),
    "augrc": Metric(-1, "ranking"),
    "fpr95": Metric(-1, "ranking"),
    "ece": Metric(-1, "calibration"),
    "ece-adaptive": Metric(-1, "calibration"),
    "ece-classwise": Metric(-1, "calibration", resampled=False),
    "mce": Metric(-1, "calibration"),
    "nll": Metric(-1, "calibration"),
    "brier": Metric(-1, "calibration"),
    "ood-auroc": Metric(+1, "ood", margin=0.005),
    "ood-aupr-in": Metric(+1, "ood", margin=0.005),
    "ood-aupr-out": Metric(+1, "ood", margin=0.005),
    "ood-fpr95": Metric(-1, "ood"),
    "coverage-at-sac": Metric(+1, "ranking", percentages="selective_accuracies_percent", margin=0.01),
    "risk-at-coverage": Metric(-1, "ranking", percentages="coverages_percent"),
    "ood-auroc-severity": Metric(+1, "class-ood", resampled=False, percentages=range(0, 101, 10)),
    "failure-aurc": Metric(-1, "failure"),
    "failure-augrc": Metric(-1, "failure"),
    "failure-auroc": Metric(+1, "failure", margin=0.005),
    "failure-fpr95": Metric(-1, "failure"),
}
OF_NO_ARM = {  # of what is compared besides arms: evaluation.mask_checks, evaluation.information_claims
    "mask-iou": Metric(+1, "masks", resampled=False, margin=0.01),
    "contested-nll": Metric(-1, "gains", resampled=False),
}
OF_OOD = ("ood", "class-ood", "failure")  # kinds


def names(family: str, settings) -> list[str]:
    """Return the metrics of a family; settings: of `evaluation`. "risk-at-coverage" -> ["risk-at-coverage-80", …]."""
    percentages = METRICS[family].percentages
    if percentages is None:
        return [family]
    percentages = getattr(settings, percentages) if isinstance(percentages, str) else percentages
    return [f"{family}-{percent:g}" for percent in percentages]


def takes_split(name: str, split: str) -> bool:
    """Return whether a metric is computed of a split: some of ood- splits alone, of ood-NAME@PERCENT fewer."""
    kind = metric(name).kind
    return (kind in OF_OOD) == split.startswith("ood-") and (kind == "failure" or "@" not in split)


def margin(name: str, reference: float) -> float:
    """Return the smallest difference of a metric that is of interest, where the config gives none.

    reference: the value of what is compared with.
    """
    absolute = metric(name).margin
    return absolute if absolute is not None else RELATIVE_MARGIN * abs(reference)


def split_name(name: str) -> tuple[str, str | None]:
    """Return family and percentage of a metric, "risk-at-coverage-80" -> ("risk-at-coverage", "80").

    The percentage is None where the family has none, or the name is that of no metric.
    """
    family, _, percent = name.rpartition("-")
    has_one = family in METRICS and METRICS[family].percentages is not None
    return (family, percent) if has_one and re.fullmatch(r"\d+(\.\d+)?", percent) else (name, None)


@lru_cache
def metric(name: str) -> Metric:
    """Return the metric of that name, with its percentage; raises UserError if there is none."""
    family, percent = split_name(name)
    found = METRICS.get(family) or OF_NO_ARM.get(family)
    if found and (found.percentages is None) == (percent is None) and (percent is None or _can_be(percent, found)):
        return found
    raise UserError(f"'{name}' is not a metric; metrics: {', '.join(map(pattern, METRICS))}")


def _can_be(percent: str, found: Metric) -> bool:
    """Return whether a family has a metric at a percentage."""
    return 0 < float(percent) <= 100 or (isinstance(found.percentages, range) and float(percent) in found.percentages)


def pattern(family: str) -> str:
    """Return how the names of a family's metrics look: "aurc", "risk-at-coverage-PERCENT"."""
    return f"{family}-PERCENT" if family in METRICS and METRICS[family].percentages is not None else family
