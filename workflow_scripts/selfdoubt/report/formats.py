"""How numbers are written: digits, units and directions of each metric, the same everywhere on the page.

Values are fractions, those of the risk-coverage family times 1000; differences of fractions are percentage points.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from selfdoubt.figures.texts import NO_BREAK
from selfdoubt.settings.metrics import metric, split_name


@dataclass(frozen=True)
class Metric:
    """How a metric is named and written."""

    label: str
    arrow: str  # "↑" higher is better, "↓" lower is better
    scale: float = 1
    digits: int = 4
    difference_scale: float = 100
    difference_digits: int = 2
    difference_unit: str = "percentage points"
    short_unit: str = "points"

    @property
    def heading(self) -> str:
        """Return label, unit and direction, for the head of a column."""
        unit = " ×10³" if self.scale == 1000 else ""
        return f"{self.label}{unit}{NO_BREAK}{self.arrow}"


LABELS = {  # of metrics whose label is not their name in capitals; {}: the percentage
    "coverage-at-sac": "coverage at {} % SAC",
    "risk-at-coverage": "risk at {} % coverage",
    "ece-adaptive": "adaptive ECE",
    "ece-classwise": "class-wise ECE",
    "brier": "Brier",
    "accuracy": "accuracy",
    "mask-iou": "mask IoU",
    "ood-auroc": "OOD AUROC",
    "ood-aupr-in": "OOD AUPR-in",
    "ood-aupr-out": "OOD AUPR-out",
    "ood-fpr95": "OOD FPR95",
    "failure-aurc": "AURC with OOD",
    "failure-augrc": "AUGRC with OOD",
    "failure-auroc": "AUROC with OOD",
    "failure-fpr95": "FPR95 with OOD",
}
_SMALL = {"scale": 1000, "digits": 2, "difference_scale": 1000, "difference_unit": "×10⁻³", "short_unit": "×10⁻³"}
_UNBOUNDED = {"difference_scale": 1, "difference_digits": 4, "difference_unit": "", "short_unit": ""}
STYLES = {
    "aurc": _SMALL,
    "e-aurc": _SMALL,
    "augrc": _SMALL,
    "failure-aurc": _SMALL,
    "failure-augrc": _SMALL,
    "naurc": _UNBOUNDED,
    "brier": _UNBOUNDED,
    "nll": _UNBOUNDED | {"difference_unit": "nats", "short_unit": "nats"},
}


def metric_of(name: str) -> Metric:
    """Return how the metric `name` is written."""
    family, percent = split_name(name)
    arrow = "↑" if metric(name).better > 0 else "↓"
    return Metric(LABELS.get(family, name.upper()).format(percent), arrow, **STYLES.get(family, {}))


def number(value: float | None, digits: int, sign: bool = False) -> str:
    """Write a number with thousands' commas and a real minus; a dash where there is none."""
    if value is None or pd.isna(value):
        return "–"
    text = f"{value:+,.{digits}f}" if sign else f"{value:,.{digits}f}"
    if not text.strip("+-0.,"):
        text = text.lstrip("+-")  # no "−0.00"
    return text.replace("-", "−")


def mean_sd(values: Sequence[float], metric: Metric, digits: int | None = None) -> tuple[str, str]:
    """Return the mean and "± sd" over replicates as texts; the second is empty where one replicate has no spread."""
    scaled = metric.scale * np.asarray(values, float)
    digits = metric.digits if digits is None else digits
    spread = f"±{NO_BREAK}{number(scaled.std(ddof=1), digits)}" if len(scaled) > 1 else ""
    return number(scaled.mean(), digits), spread


def difference(value: float, metric: Metric, sign: bool = True) -> str:
    """Write a difference of two values in the metric's unit of differences, without the unit."""
    return number(metric.difference_scale * value, metric.difference_digits, sign)


def p_value(p: float | None) -> str:
    """Return "= 0.012", "< 0.001", or "–" where there is none."""
    if p is None or pd.isna(p):
        return "–"
    text = "< 0.001" if p < 0.001 else f"= {p:.2g}" if p < 0.1 else f"= {p:.2f}"
    return text.replace(" ", NO_BREAK)
