"""Two arms to a comparison."""

import numpy as np
import pytest
from small_predictions import IDENTITY, SETTINGS, find, predictions_of, split_of

from selfdoubt.evaluation import comparisons
from selfdoubt.evaluation.metrics_table import evaluate
from selfdoubt.evaluation.predictions import Predictions
from selfdoubt.runtime.errors import UserError


def compared(pairs, metric, score, split, n_resamples):
    """Compare the predictions of pairs by one quantity."""
    quantity = (metric, score, split)
    estimates = [
        tuple(comparisons.estimate(side, [quantity], n_resamples, SETTINGS) for side in pair) for pair in pairs
    ]
    return comparisons.compare(estimates, quantity).row()


def test_compare_is_the_difference_of_the_values():
    rows = evaluate(predictions_of(), SETTINGS, IDENTITY)
    other = predictions_of(10)
    other["test"] = Predictions(other["test"].logits, predictions_of()["test"].labels)
    other_rows = evaluate(other, SETTINGS, IDENTITY)
    for metric, score in (("accuracy", "none"), ("aurc", "msp"), ("ece", "msp-ts"), ("nll", "msp"), ("auroc", "pnorm")):
        found = compared([(predictions_of(), other)], metric, score, "test", 100)
        values = [find(each, split="test", metric=metric, score=score)["value"] for each in (rows, other_rows)]
        assert found["difference"] == pytest.approx(values[0] - values[1])
        assert found["low"] <= found["difference"] <= found["high"]
        assert (found["n_replicates"], found["reason"]) == (1, None)


def test_a_better_arm_is_found_better():
    predictions = predictions_of()
    sample = predictions["test"]
    worse = np.random.default_rng(0).normal(0, 2, (200, 4)) + sample.logits
    noisy = predictions | {"test": Predictions(worse.astype(np.float32), sample.labels)}
    found = compared([(predictions, noisy)] * 3, "aurc", "msp", "test", 500)
    assert found["high"] < 0
    assert found["p"] < 0.001
    assert found["effect_size"] is None  # equal differences
    ood = compared([(predictions, noisy)] * 3, "ood-auroc", "msp", "ood-digits", 500)
    auroc = [
        find(evaluate(each, SETTINGS, IDENTITY), score="msp", metric="ood-auroc")["value"]
        for each in (predictions, noisy)
    ]
    assert ood["difference"] == pytest.approx(auroc[0] - auroc[1])
    assert ood["low"] < ood["difference"] < ood["high"]


def test_a_comparison_without_numbers_has_a_reason():
    perfect = predictions_of()
    perfect["test"] = Predictions(perfect["test"].logits, perfect["test"].labels, predicted=perfect["test"].labels)
    found = compared([(predictions_of(), perfect)], "auroc", "msp", "test", 50)
    assert found["reason"] == "no incorrect samples"
    assert [found[key] for key in ("difference", "low", "high", "p", "n_replicates")] == [None, None, None, None, 1]
    missing = {"val": predictions_of()["val"]}
    assert compared([(missing, missing)], "aurc", "msp", "test", 50)["reason"] == "no samples in test"


@pytest.mark.parametrize(
    ("metric", "score", "split", "named"),
    [
        ("ece", "energy", "test", "ece .*'energy'"),
        ("accuracy", "msp", "test", "accuracy .*'msp'"),
        ("aurc", "none", "test", "aurc .*'none'"),
        ("aurc", "mps", "test", "'mps' .* msp"),
        ("aurc", "msp", "ood-digits", "aurc .*'ood-digits'"),
        ("ood-auroc", "msp", "test", "ood-auroc .*'test'"),
        ("ece-classwise", "msp", "test", "ece-classwise"),
        ("aurk", "msp", "test", "'aurk'.* aurc"),
    ],
)
def test_a_quantity_that_does_not_exist_is_refused(metric, score, split, named):
    with pytest.raises(UserError, match=named):
        compared([(predictions_of(), predictions_of())], metric, score, split, 50)


def test_arms_on_other_rows_are_not_compared():
    fewer = predictions_of() | {"test": split_of(1, 199)}
    with pytest.raises(UserError, match="test: the arms are not predictions of the same rows"):
        compared([(predictions_of(), fewer)], "aurc", "msp", "test", 50)


def test_a_mean_over_corruptions_is_the_mean_of_its_arms():
    better, than = predictions_of(), predictions_of()
    for split in ("blur-1", "blur-5"):
        logits = np.random.default_rng(0).normal(0, 1, (80, 4)) + than[split].logits
        than[split] = Predictions(logits.astype(np.float32), than[split].labels)
    each = [compared([(better, than)], "aurc", "msp", split, 300) for split in ("blur-1", "blur-5")]
    mean = compared([(better, than)], "aurc", "msp", "blur-mean", 300)
    assert mean["difference"] == pytest.approx(np.mean([found["difference"] for found in each]))
    assert mean["low"] < mean["difference"] < mean["high"]


def test_many_quantities_are_estimated_as_each_is_alone():
    quantities = [("aurc", "msp", "test"), ("ece", "msp-ts", "test"), ("ood-auroc", "energy", "ood-digits")]
    quantities += [("accuracy", "none", "corrupted-mean"), ("accuracy", "none", "blur-1")]
    together = comparisons.estimate(predictions_of(), quantities, 40, SETTINGS)
    for quantity in quantities:
        alone = comparisons.estimate(predictions_of(), [quantity], 40, SETTINGS).of[quantity]
        assert together.of[quantity].value == alone.value
        assert (together.of[quantity].resampled == alone.resampled).all()


@pytest.mark.parametrize(
    "metric", ["accuracy", "auroc", "aurc", "e-aurc", "naurc", "augrc", "fpr95", "ece", "nll", "brier"]
)
def test_of_few_images_no_metric_has_an_interval_of_width_0_or_a_p_of_0(metric):
    """Also where arms are alike, all images are correct, or one is left; replicates may repeat one another."""
    quantity, n_compared = (metric, "none" if metric == "accuracy" else "msp", "test"), 0
    for trial in range(60):
        draws = np.random.default_rng(trial)
        labels = draws.integers(0, 3, draws.integers(1, 13))
        of_pairs = [[few_logits(trial, labels, draws) for _ in range(2)] for _ in range(draws.integers(1, 5))]
        of_pairs = of_pairs[:1] * len(of_pairs) if trial % 4 == 0 else of_pairs
        sides = [[{"test": Predictions(each, labels)} for each in pair] for pair in of_pairs]
        pairs = [tuple(comparisons.estimate(side, [quantity], 100, SETTINGS) for side in pair) for pair in sides]
        found = comparisons.compare(pairs, quantity)
        assert not (found.identical and found.contrast)
        if found.contrast is not None:
            n_compared += 1
            low, high = found.contrast.interval()
            assert all(side.of[quantity].n_images > 1 for pair in pairs for side in pair)  # of a kind
            assert low < high and low <= found.difference <= high and 0 < found.contrast.p <= 1
    assert n_compared > 10


def few_logits(trial: int, labels: np.ndarray, draws: np.random.Generator) -> np.ndarray:
    """Random logits, with ties; or, in each third trial, one error alone, which has the least confidence."""
    if trial % 3:
        return np.round(2 * draws.normal(size=(len(labels), 3))).astype(np.float32)
    logits = 4 * np.eye(3, dtype=np.float32)[labels]
    row = draws.integers(len(labels))
    logits[row] = np.eye(3)[(labels[row] + 1) % 3]
    return logits
