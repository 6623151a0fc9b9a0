"""The names of metrics, which direction is better, and that each has a function."""

from types import SimpleNamespace

import pytest

from selfdoubt.evaluation.metrics import FUNCTIONS, function_of
from selfdoubt.figures import formats
from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.metrics import METRICS, OF_NO_ARM, metric, names


def test_direction():
    higher = ["accuracy", "auroc", "coverage-at-sac-99.5", "coverage-at-sac-90", "ood-auroc", "ood-aupr-in"]
    lower = ["aurc", "e-aurc", "naurc", "augrc", "risk-at-coverage-80", "ece", "ece-classwise", "nll", "ood-fpr95"]
    assert [metric(name).better for name in higher] == [1] * len(higher)
    assert [metric(name).better for name in lower] == [-1] * len(lower)


def test_every_metric_has_a_function_and_no_style_is_of_another():
    assert FUNCTIONS.keys() == METRICS.keys()
    assert {*formats.LABELS, *formats.STYLES} <= METRICS.keys() | OF_NO_ARM.keys()


def test_percentages():
    settings = SimpleNamespace(selective_accuracies_percent=[90, 99.5], coverages_percent=[80])
    assert names("aurc", settings) == ["aurc"]
    assert names("coverage-at-sac", settings) == ["coverage-at-sac-90", "coverage-at-sac-99.5"]
    assert names("ood-auroc-severity", settings) == [f"ood-auroc-severity-{percent}" for percent in range(0, 101, 10)]
    for family in METRICS:
        assert all(metric(name) is METRICS[family] for name in names(family, settings))


@pytest.mark.parametrize(
    "name",
    ["auprc", "coverage-at-sac", "coverage-at-sac-x", "risk-at-coverage-101", "risk-at-coverage-0", "ece-15"],
)
def test_a_name_that_is_no_metric_is_refused_with_the_choices(name):
    for function in (metric, function_of):
        with pytest.raises(UserError, match=f"'{name}' is not a metric.* accuracy, auroc, .*risk-at-coverage-PERCENT"):
            function(name)
