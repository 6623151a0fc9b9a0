"""C-OOD severity against windows cut out one by one."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from selfdoubt.evaluation.class_ood import at_severity, severity_levels
from selfdoubt.evaluation.undefined import Undefined


def test_severity_by_hand():
    # Known: 2 classes, confidence 4 and 6. Outside, by mean confidence: classes 7 (1), 3 (4), 5 (5) and 0 (9).
    inside, outside = np.array([4.0, 6.0]), np.array([9.0, 1.0, 5.0, 4.0, 1.0])
    classes = np.array([0, 7, 5, 3, 7])
    levels = severity_levels(inside, outside, classes, 2)
    # Pairs won by the inside: class 7: 4 of 4; class 3: 1 1/2 of 2; class 5: 1 of 2; class 0: 0 of 2.
    assert levels.auroc == pytest.approx([5.5 / 6, 2.5 / 4, 1 / 4])
    found = [at_severity(levels, percent=percent) for percent in (0, 20, 25, 50, 70, 80, 100)]
    assert found == pytest.approx(
        [5.5 / 6, 5.5 / 6, 2.5 / 4, 2.5 / 4, 2.5 / 4, 1 / 4, 1 / 4]
    )  # windows 0, .4, .5, 1 ...


@pytest.mark.parametrize("replicate", range(5))
def test_each_window_is_a_set_of_its_own(replicate):
    generator = np.random.default_rng(replicate)
    inside, classes = generator.integers(0, 20, 50) / 1.0, generator.integers(0, 9, 200)
    outside = generator.integers(-5, 15, 200) + classes / 2
    means = [outside[classes == k].mean() for k in range(9)]
    order = np.argsort(means)
    expected = []
    for first in range(9 - 4 + 1):
        window = outside[np.isin(classes, order[first : first + 4])]
        truth = np.append(np.ones(50), np.zeros(len(window)))
        expected.append(roc_auc_score(truth, np.append(inside, window)))
    levels = severity_levels(inside, outside, classes, 4)
    assert levels.auroc == pytest.approx(expected)
    shuffled = generator.permutation(200)
    assert (severity_levels(inside, outside[shuffled], classes[shuffled], 4).auroc == levels.auroc).all()


def test_classes_may_be_sorted_by_another_mean():
    inside, outside, classes = np.array([2.0]), np.array([1.0, 3.0]), np.array([0, 1])
    assert severity_levels(inside, outside, classes, 1).auroc.tolist() == [1, 0]
    assert severity_levels(inside, outside, classes, 1, sorted_by=-outside).auroc.tolist() == [0, 1]


def test_as_many_classes_as_are_known_are_too_few():
    with pytest.raises(Undefined, match="2 out-of-distribution classes; more than the 2 known ones are needed"):
        severity_levels(np.ones(3), np.ones(4), np.array([1, 1, 2, 2]), 2)
    with pytest.raises(Undefined, match="no samples"):
        severity_levels(np.ones(3), np.ones(0), np.ones(0, dtype=int), 2)
