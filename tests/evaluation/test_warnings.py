"""When numbers carry no claim: limits by hand, of models, of masks and of claims."""

from types import SimpleNamespace

import numpy as np
import pytest

from selfdoubt.evaluation import comparisons, metrics_table, warnings
from selfdoubt.evaluation.predictions import Predictions

SETTINGS = SimpleNamespace(ece_bins=15)


@pytest.mark.parametrize(
    ("won", "lost", "warned"),  # images of which the model alone is correct, or the majority class
    [
        (5, 0, False),  # (1 / 2)^5 = .03
        (4, 0, True),  # .06
        (0, 0, True),  # the majority class is all that is predicted
        (14, 5, False),  # of 19 coins, 14 heads or more: .032
        (13, 5, False),  # of 18, 13 or more: .048
        (13, 6, True),  # .084
        (5000, 4900, True),
        (5000, 4500, False),
    ],
)
def test_a_model_is_compared_with_the_majority_class_by_an_exact_test(won, lost, warned):
    both = won + lost + 1  # of which both are correct: so that class 0 is the most frequent
    labels = np.repeat([0, 0, 1, 2], [lost, both, won, 3])
    correct = np.repeat([False, True, True, False], [lost, both, won, 3])
    order = np.random.default_rng(0).permutation(len(labels))
    assert bool(warnings.of_model(labels[order], correct[order])) == warned


def test_the_warning_stands_at_the_accuracy_on_test_alone():
    logits = np.eye(2)[np.zeros(50, int)]
    sample = Predictions(logits, np.arange(50) % 2)
    wanted = {"metrics": ["accuracy", "aurc"], "scores": ["msp"], "n_resamples": 100, "resampled_splits": []}
    settings = SimpleNamespace(selective_accuracies_percent=[], coverages_percent=[], ece_bins=15, **wanted)
    rows = metrics_table.evaluate({"val": sample, "test": sample}, settings, {})
    assert [(row["split"], row["metric"]) for row in rows if row["warning"]] == [("test", "accuracy")]
    assert "50.0%" in next(row["warning"] for row in rows if row["warning"])


def claimed(name: str, n_correct: int, n_incorrect: int, n_ood: int = 40, difference: float = 0.1, split="test"):
    score = "none" if name == "accuracy" else "msp"
    labels = np.repeat([0, 1], [n_correct, n_incorrect])
    logits = np.random.default_rng(0).uniform([2, 0], [3, 1], (len(labels), 2))
    inside, outside = Predictions(logits, labels), Predictions(np.ones((n_ood, 2)), np.full(n_ood, -1))
    given = {"test": inside, "blur-1": inside, "blur-2": inside, "ood-x": outside}
    side = comparisons.estimate(given, [(name, score, split)], 100, SETTINGS)
    return warnings.of_claim(name, split, [side, side], difference)


@pytest.mark.parametrize("split", ["test", "blur-mean"])
def test_a_ranking_needs_correct_and_incorrect_images(split):
    assert claimed("aurc", 30, 30, split=split) is None
    assert claimed("aurc", 90, 29, split=split).startswith("29 incorrect images")
    assert claimed("risk-at-coverage-80", 29, 90, split=split).startswith("29 correct images")
    assert claimed("auroc", 90, 0, difference=None, split=split).startswith("0 incorrect images")


def test_other_metrics_need_images_in_all_or_of_either_distribution():
    assert claimed("ece", 29, 1) is None and claimed("ece", 28, 1).startswith("29 images")
    assert claimed("ood-auroc", 30, 0, split="ood-x") is None
    assert claimed("ood-auroc", 90, 9, 29, split="ood-x").startswith("29 out-of-distribution images")
    assert claimed("ood-auroc", 20, 9, split="ood-x").startswith("29 in-distribution images")
    assert claimed("failure-aurc", 90, 9, split="ood-x") is None
    assert claimed("failure-aurc", 90, 9, split="ood-x@20").startswith("25 out-of-distribution images")  # of 99 / 4
    assert claimed("ece", 30, 30, split="test") is None and claimed("ece", 1, 1, split="shifted-gone") is None


def test_a_difference_in_accuracy_is_that_of_an_image_or_more():
    assert claimed("accuracy", 50, 50, difference=0.51 - 0.5) is None  # rounded, it is less than 1 / 100
    assert claimed("accuracy", 50, 50, difference=0.0) is None
    assert "100 images" in claimed("accuracy", 50, 50, difference=-1 / 300)  # one image in one of three replicates
    assert "200 images" in claimed("accuracy", 50, 50, difference=1 / 300, split="blur-mean")
    assert claimed("nll", 50, 50, difference=1 / 300) is None


def test_zeros_and_ties_matter_from_a_twentieth_on():
    others = np.full(99, -150.0)  # of the sum 691 / (691 + 14,850) is 4.4 %
    assert warnings.of_zeros(np.append(others, np.log(1e-300))) is None
    assert warnings.of_zeros(np.append(others / 2, np.log(1e-300))).startswith("9% of the NLL")
    confidence = np.append(np.ones(6), np.linspace(0, 0.9, 94))
    correct = np.arange(100) > 0
    assert warnings.of_ties(confidence, correct, 3).startswith("6% of the images")
    assert warnings.of_ties(confidence, np.arange(100) < 6, 3) is None  # all of the tied are correct
    assert warnings.of_ties(np.append(np.full(2, 0.5), confidence[2:]), correct, 3) is None  # the incorrect is below
