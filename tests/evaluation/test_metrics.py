"""The names of metrics, and which way is better."""

import pytest

from selfdoubt.evaluation import metrics
from selfdoubt.runtime.errors import UserError


def test_direction():
    higher = ["accuracy", "auroc", "coverage-at-sac-99.5", "coverage-at-sac-90", "ood-auroc", "ood-aupr-in"]
    lower = ["aurc", "e-aurc", "naurc", "augrc", "risk-at-coverage-80", "ece", "ece-classwise", "nll", "ood-fpr95"]
    assert [metrics.direction(name) for name in higher] == [1] * len(higher)
    assert [metrics.direction(name) for name in lower] == [-1] * len(lower)


@pytest.mark.parametrize("name", ["auprc", "coverage-at-sac", "coverage-at-sac-x", "risk-at-coverage-101", "ece-15"])
def test_a_name_that_is_no_metric_is_answered_with_the_choices(name):
    with pytest.raises(UserError, match=f"'{name}' is not a metric; metrics: accuracy, auroc, .*risk-at-coverage-P"):
        metrics.direction(name)
