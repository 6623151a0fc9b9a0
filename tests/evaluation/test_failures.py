"""Failure detection with out-of-distribution images as failures: worked by hand, and odd inputs."""

from types import SimpleNamespace

import numpy as np
import pytest
from small_predictions import IDENTITY, SETTINGS, find, predictions_of

from selfdoubt.evaluation import comparisons, failures, metrics_table, rankings
from selfdoubt.evaluation.predictions import Predictions
from selfdoubt.evaluation.undefined import Undefined
from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.metrics import METRICS, split_name

ONLY = SimpleNamespace(**vars(SETTINGS) | {"scores": ["msp"]})


def test_by_hand():
    # by confidence: correct .9, OOD .8, correct .7, incorrect .6, OOD .5; errors among the first k: 0 1 1 2 3
    inside, correct, outside = np.array([0.9, 0.7, 0.6]), np.array([True, True, False]), np.array([0.8, 0.5])
    ranking = failures.rank_failures(inside, correct, outside, "ood-x")
    assert rankings.aurc(ranking) == pytest.approx((0 / 1 + 1 / 2 + 1 / 3 + 2 / 4 + 3 / 5) / 5)
    assert rankings.auroc(ranking) == pytest.approx(5 / 6)  # of 2 x 3 pairs one is in the wrong order
    assert rankings.augrc(ranking) == pytest.approx((1 - 5 / 6) * 0.4 * 0.6 + 0.6**2 / 2)
    assert failures.fpr95(ranking) == pytest.approx(1 / 3)  # both correct ones are kept above .7, and one OOD image


def test_fpr95_of_ties_and_of_one_kind_alone():
    correct = np.arange(20) < 19
    assert failures.fpr95(rankings.rank(np.zeros(20), correct)) == 1  # a tie block enters whole
    assert failures.fpr95(rankings.rank(-np.arange(20.0), correct)) == 0
    for of_all, reason in ((True, "no incorrect samples"), (False, "no correct samples")):
        with pytest.raises(Undefined, match=reason):
            failures.fpr95(rankings.rank(np.arange(3.0), np.full(3, of_all)))


@pytest.mark.parametrize(
    ("split", "n_test", "n_ood", "sizes"),
    [
        ("ood-x", 10, 4, (10, 4)),
        ("ood-x@50", 10, 4, (4, 4)),
        ("ood-x@50", 4, 10, (4, 4)),
        ("ood-x@20", 10, 4, (10, 3)),  # 2.5, rounded up
        ("ood-x@80", 10, 4, (1, 4)),
        ("ood-x@0.5", 10, 4, (10, 0)),
    ],
)
def test_sizes_of_a_mix(split, n_test, n_ood, sizes):
    assert failures.mixed_sizes(split, n_test, n_ood) == sizes


def test_a_mix_is_part_of_both_and_the_same_for_every_score():
    inside, outside = np.arange(100.0), np.arange(100.0, 110.0)
    one = failures.rank_failures(inside, np.ones(100, bool), outside, "ood-x@50")
    other = failures.rank_failures(-inside, np.ones(100, bool), outside, "ood-x@50")
    assert one.n == 20 and one.n_errors == 10
    assert sorted(one.order[one.order < 10]) == sorted(other.order[other.order < 10])
    with pytest.raises(Undefined, match="too few for 1 %"):
        failures.rank_failures(inside[:3], np.ones(3, bool), outside, "ood-x@1")
    with pytest.raises(Undefined, match="no samples"):
        failures.rank_failures(inside, np.ones(100, bool), outside[:0], "ood-x")


def test_rows_have_values_and_intervals_and_leave_all_others_as_they_are():
    predictions = predictions_of()
    settings = SimpleNamespace(**vars(ONLY) | {"resampled_splits": ["test", "ood-digits@50", "ood-digits"]})
    rows = metrics_table.evaluate(predictions, settings, IDENTITY)
    mixed = [row for row in rows if row["split"] == "ood-digits@50"]
    assert {row["metric"] for row in mixed} == {f"failure-{name}" for name in ("aurc", "augrc", "auroc", "fpr95")}
    assert all(row["n"] == 120 and row["low"] <= row["value"] <= row["high"] for row in mixed)  # 60 images are OOD
    natural = find(rows, split="ood-digits", metric="failure-aurc")
    assert natural["n"] == 260 and natural["low"] < natural["value"] < natural["high"]
    fewer = [name for name in settings.metrics if METRICS[name].kind != "failure" and name != "fpr95"]
    others = metrics_table.evaluate(predictions, SimpleNamespace(**vars(settings) | {"metrics": fewer}), IDENTITY)
    assert others == [row for row in rows if split_name(row["metric"])[0] in fewer]


def test_without_test_images_the_reason_is_given():
    predictions = predictions_of()
    none = Predictions(np.empty((0, 4)), np.empty(0, dtype=np.int64))
    rows = metrics_table.evaluate(predictions | {"test": none}, ONLY, IDENTITY)
    of_failure = [row for row in rows if row["metric"].startswith("failure-")]
    assert len(of_failure) == 8 and {row["reason"] for row in of_failure} == {"no samples in test"}


def test_arms_are_compared_on_a_mix():
    quantity = ("failure-aurc", "msp", "ood-digits@50")
    one, other = (comparisons.estimate(predictions_of(i), [quantity], 200, ONLY) for i in (0, 7))
    images = {**one.images}
    other = comparisons.Estimates(other.of, images, other.n_correct)  # paired by place, whatever the labels
    found = comparisons.compare([(one, other)], quantity).row()
    assert found["low"] < found["difference"] < found["high"] and 0 < found["p"] <= 1
    same = comparisons.compare([(one, one)], quantity)
    assert same.identical
    for name, split in (("failure-aurc", "test"), ("aurc", "ood-digits@50"), ("ood-auroc", "ood-digits@50")):
        with pytest.raises(UserError, match="is not computed of the split"):
            comparisons.estimate(predictions_of(), [(name, "msp", split)], 200, ONLY)
