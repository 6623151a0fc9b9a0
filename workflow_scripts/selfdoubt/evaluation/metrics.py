"""The function of every metric. Definitions: docs/metrics.md; names and directions: `settings.metrics`.

The functions are those of `rankings`, `calibration`, `class_ood` and `failures`. Here each takes one argument, a
summary: what `summaries.summarise` returns of one score on one split.
"""

from collections.abc import Callable
from functools import lru_cache, partial

from selfdoubt.evaluation import calibration, class_ood, failures, rankings
from selfdoubt.settings.metrics import metric, split_name

FUNCTIONS = {  # family: of a rankings.Ranking, a calibration.Calibration or class_ood.SeverityLevels
    "accuracy": rankings.accuracy,
    "auroc": rankings.auroc,
    "aurc": rankings.aurc,
    "e-aurc": rankings.e_aurc,
    "naurc": rankings.naurc,
    "augrc": rankings.augrc,
    "fpr95": failures.fpr95,
    "ece": lambda c: calibration.ece(c.bins),
    "ece-adaptive": lambda c: calibration.ece_adaptive(c.rising, n_bins=c.n_bins),
    "ece-classwise": lambda c: calibration.of_all_classes(c.class_gaps).error(len(c.top)),
    "mce": lambda c: calibration.mce(c.bins),
    "nll": lambda c: calibration.nll(c.log_probability, c.weights),
    "brier": lambda c: calibration.brier(c.squared_error, c.weights),
    "ood-auroc": rankings.auroc,
    "ood-aupr-in": rankings.aupr_in,
    "ood-aupr-out": rankings.aupr_out,
    "ood-fpr95": rankings.fpr95,
    "coverage-at-sac": rankings.coverage_at_accuracy,
    "risk-at-coverage": rankings.risk_at_coverage,
    "ood-auroc-severity": class_ood.at_severity,
    "failure-aurc": rankings.aurc,
    "failure-augrc": rankings.augrc,
    "failure-auroc": rankings.auroc,
    "failure-fpr95": failures.fpr95,
}


@lru_cache
def function_of(name: str) -> Callable:
    """Return a metric as a function of a summary, its percentage filled in; raises UserError if there is none."""
    metric(name)
    family, percent = split_name(name)
    return FUNCTIONS[family] if percent is None else partial(FUNCTIONS[family], percent=percent)
