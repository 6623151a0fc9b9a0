"""How metrics are named and differences written: units, digits and directions, the same in figures and on the page.

Values are fractions, those of the risk-coverage family times 1000; differences of fractions are percentage points.
"""

from dataclasses import dataclass

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
    "contested-nll": "NLL of contested images",
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
_NATS = _UNBOUNDED | {"difference_unit": "nats", "short_unit": "nats"}
STYLES = {
    "aurc": _SMALL,
    "e-aurc": _SMALL,
    "augrc": _SMALL,
    "failure-aurc": _SMALL,
    "failure-augrc": _SMALL,
    "naurc": _UNBOUNDED,
    "brier": _UNBOUNDED,
    "nll": _NATS,
    "contested-nll": _NATS,
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


def difference(value: float, metric: Metric, sign: bool = True) -> str:
    """Write a difference of two values in the metric's unit of differences, without the unit."""
    return number(metric.difference_scale * value, metric.difference_digits, sign)


def axis_of(name: str) -> tuple[str, float]:
    """Return the text of a metric's axis, and by what its values are multiplied: fractions are shown in percent."""
    found = metric_of(name)
    unit = {100: " (%)", 1000: " ×10³"}.get(
        found.difference_scale, f" ({found.short_unit})" if found.short_unit else ""
    )
    return f"{found.label}{unit}", found.difference_scale
