"""Every metric by its name: which way is better, of what it is made, and its function. Definitions: docs/metrics.md.

The functions are in `rankings` and `calibration`. Here each takes one argument, a summary: all that `evaluation`
knows of one score on one split.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache, partial

from selfdoubt.evaluation import calibration, class_ood, rankings
from selfdoubt.runtime.errors import UserError


@dataclass(frozen=True)
class Metric:
    """A metric as a function of one summary."""

    direction: int  # +1 if higher is better, -1 if lower
    # accuracy, ranking, ood: a `rankings.Ranking`; calibration: `summaries.Calibration`; class-ood: its own
    of: str
    function: Callable
    resampled: bool = True  # whether it has a form for resamples


METRICS = {
    "accuracy": Metric(+1, "accuracy", rankings.accuracy),
    "auroc": Metric(+1, "ranking", rankings.auroc),
    "aurc": Metric(-1, "ranking", rankings.aurc),
    "e-aurc": Metric(-1, "ranking", rankings.e_aurc),
    "naurc": Metric(-1, "ranking", rankings.naurc),
    "augrc": Metric(-1, "ranking", rankings.augrc),
    "ece": Metric(-1, "calibration", lambda c: calibration.ece(c.bins)),
    "ece-adaptive": Metric(-1, "calibration", lambda c: calibration.ece_adaptive(c.rising, n_bins=c.n_bins)),
    "ece-classwise": Metric(-1, "calibration", lambda c: c.class_gaps.error(len(c.top)), False),
    "mce": Metric(-1, "calibration", lambda c: calibration.mce(c.bins)),
    "nll": Metric(-1, "calibration", lambda c: calibration.nll(c.log_probability, c.weights)),
    "brier": Metric(-1, "calibration", lambda c: calibration.brier(c.squared_error, c.weights)),
    "ood-auroc": Metric(+1, "ood", rankings.auroc),
    "ood-aupr-in": Metric(+1, "ood", rankings.aupr_in),
    "ood-aupr-out": Metric(+1, "ood", rankings.aupr_out),
    "ood-fpr95": Metric(-1, "ood", rankings.fpr95),
}
PARAMETRISED = {  # a percentage follows, as in coverage-at-sac-99.5
    "coverage-at-sac": Metric(+1, "ranking", rankings.coverage_at_accuracy),
    "risk-at-coverage": Metric(-1, "ranking", rankings.risk_at_coverage),
    "ood-auroc-severity": Metric(+1, "class-ood", class_ood.at_severity, False),
}


FAMILIES = (*METRICS, *PARAMETRISED)


@lru_cache
def metric(name: str) -> Metric:
    """Return the metric of that name, its percentage filled in."""
    if name in METRICS:
        return METRICS[name]
    base, _, percent = name.rpartition("-")
    number = float(percent) if percent.replace(".", "", 1).isdigit() else -1
    if base in PARAMETRISED and (0 < number <= 100 or (number == 0 and base == "ood-auroc-severity")):
        return replace(PARAMETRISED[base], function=partial(PARAMETRISED[base].function, percent=percent))
    known = [*METRICS, *(f"{base}-PERCENT" for base in PARAMETRISED)]
    raise UserError(f"'{name}' is not a metric; metrics: {', '.join(known)}")


def direction(name: str) -> int:
    """Return +1 if a higher value of the metric is better, -1 if a lower one is."""
    return metric(name).direction
