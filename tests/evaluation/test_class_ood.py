"""C-OOD severity against windows cut out one by one."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from selfdoubt.evaluation.class_ood import at_severity, estimation_part, severity_levels
from selfdoubt.evaluation.undefined import Undefined


def test_severity_by_hand():
    # Known: 2 classes, confidence 4 and 6. The first five images outside sort the classes by mean confidence: 7 (1),
    # 3 (4), 5 (5) and 0 (9). The last five are evaluated, and would have sorted them otherwise: 7 has 7 there.
    inside = np.array([4.0, 6.0])
    outside = np.array([9.0, 1.0, 5.0, 4.0, 1.0, 7.0, 4.0, 1.0, 5.0, 5.0])
    classes = np.array([0, 7, 5, 3, 7, 7, 3, 5, 0, 0])
    levels = severity_levels(inside, outside, classes, 2, np.arange(10) < 5)
    # Pairs won by the inside: class 7: 0 of 2; class 3: 1 1/2 of 2; class 5: 2 of 2; class 0: 2 of 4.
    assert levels.auroc == pytest.approx([1.5 / 4, 3.5 / 4, 4 / 6])
    found = [at_severity(levels, percent=percent) for percent in (0, 20, 25, 50, 70, 80, 100)]
    assert found == pytest.approx(
        [1.5 / 4, 1.5 / 4, 3.5 / 4, 3.5 / 4, 3.5 / 4, 4 / 6, 4 / 6]
    )  # windows 0, .4, .5, 1 ...


@pytest.mark.parametrize("replicate", range(5))
def test_each_window_is_a_set_of_its_own(replicate):
    generator = np.random.default_rng(replicate)
    inside, classes = generator.integers(0, 20, 50) / 1.0, generator.integers(0, 9, 200)
    outside, estimating = generator.integers(-5, 15, 200) + classes / 2, estimation_part(classes)
    means = [outside[estimating & (classes == k)].mean() for k in range(9)]
    order = np.argsort(means, kind="stable")
    expected = []
    for first in range(9 - 4 + 1):
        window = outside[~estimating & np.isin(classes, order[first : first + 4])]
        truth = np.append(np.ones(50), np.zeros(len(window)))
        expected.append(roc_auc_score(truth, np.append(inside, window)))
    levels = severity_levels(inside, outside, classes, 4, estimating)
    assert levels.auroc == pytest.approx(expected)
    shuffled = generator.permutation(200)
    again = severity_levels(inside, outside[shuffled], classes[shuffled], 4, estimating[shuffled])
    assert (again.auroc == levels.auroc).all()


def test_equal_classes_are_equally_hard():
    # 20 classes of 10 images with one distribution of confidence: a sort by the evaluated images themselves puts those
    # first whose images happen to be easy, a sort by other images does not.
    found = {"same": [], "other": []}
    for replicate in range(200):
        generator = np.random.default_rng(replicate)
        inside, outside, classes = generator.normal(0.5, 1, 500), generator.normal(0, 1, 200), np.arange(200) % 20
        estimating = estimation_part(classes)
        other = severity_levels(inside, outside, classes, 5, estimating).auroc
        evaluated = [np.tile(values[~estimating], 2) for values in (outside, classes)]  # there to sort and to count
        same = severity_levels(inside, *evaluated, 5, np.arange(200) < 100).auroc
        found["other"].append(other[0] - other[-1])
        found["same"].append(same[0] - same[-1])
    error = np.std(found["other"]) / np.sqrt(200)
    assert abs(np.mean(found["other"])) < 3 * error and error < 0.01
    assert np.mean(found["same"]) > 0.2


def test_the_estimation_part_is_half_of_each_class_and_always_the_same():
    classes = np.repeat([3, 8, 20], [2, 5, 200])
    part = estimation_part(classes)
    assert [part[classes == k].sum() for k in (3, 8, 20)] == [1, 2, 100]
    assert (part == estimation_part(classes)).all()
    assert 30 < part[7:107].sum() < 70  # not simply the first


def test_classes_may_be_sorted_by_another_mean():
    inside, outside, classes = np.array([2.0]), np.array([1.0, 3.0, 1.0, 3.0]), np.array([0, 1, 0, 1])
    first = np.arange(4) < 2
    assert severity_levels(inside, outside, classes, 1, first).auroc.tolist() == [1, 0]
    assert severity_levels(inside, outside, classes, 1, first, sorted_by=-outside).auroc.tolist() == [0, 1]


def test_too_few_classes_or_images_have_no_severity():
    two = np.array([1, 1, 2, 2])
    with pytest.raises(Undefined, match="2 out-of-distribution classes; more than the 2 known ones are needed"):
        severity_levels(np.ones(3), np.ones(4), two, 2, estimation_part(two))
    with pytest.raises(Undefined, match="no samples"):
        severity_levels(np.ones(3), np.ones(0), np.ones(0, dtype=int), 2, np.ones(0, dtype=bool))
    lone = np.array([1, 1, 5])
    with pytest.raises(Undefined, match="class 5 has one image"):
        severity_levels(np.ones(3), np.ones(3), lone, 1, estimation_part(lone))
