"""How alike students and teachers predict, by hand."""

import numpy as np
import pytest
from small_predictions import find, split_of

from selfdoubt.evaluation import fidelity
from selfdoubt.evaluation.predictions import Predictions
from selfdoubt.evaluation.undefined import Undefined


def of_probabilities(*rows, labels=None) -> Predictions:
    """Predictions with these probabilities of each row; labels: all 0 where left out."""
    return Predictions(np.log(np.array(rows)), np.array(labels or [0] * len(rows)))


STUDENT = of_probabilities((0.5, 0.5 - 1e-9, 1e-9), (0.2, 0.7, 0.1), (0.6, 0.3, 0.1), (0.1, 0.2, 0.7))
TEACHER = of_probabilities((0.8, 0.1, 0.1), (0.3, 0.6, 0.1), (0.1, 0.8, 0.1), (0.25, 0.25, 0.5))


def rows_of(student=STUDENT, teacher=TEACHER, references=None, factor=1) -> list[dict]:
    return fidelity.rows_of_fidelity(student, teacher, references or {}, factor, 10)


def test_agreement_and_divergence_by_hand():
    found = {row["quantity"]: row["value"] for row in rows_of() if row["decile"] is None}
    assert found["agreement"] == 3 / 4  # the third image is of class 0 to one and of class 1 to the other
    by_hand = [
        sum(p * np.log(p / q) for p, q in zip(*pair, strict=True))
        for pair in zip(np.exp(TEACHER.logits), np.exp(STUDENT.logits), strict=True)
    ]
    assert found["kl"] == pytest.approx(np.mean(by_hand))
    assert found["student-accuracy"] == 2 / 4 and found["teacher-accuracy"] == 1 / 4
    entropies = [-sum(p * np.log(p) for p in row) for row in np.exp(TEACHER.logits)]
    assert found["teacher-entropy"] == pytest.approx(np.mean(entropies))
    gaps = [1 - 0.8, 0 - 0.6, 0 - 0.8, 0 - 0.5]  # .8 twice in one bin of ten
    assert found["teacher-ece"] == pytest.approx((abs(gaps[0] + gaps[2]) + abs(gaps[1]) + abs(gaps[3])) / 4)


def test_a_student_equal_to_its_teacher_has_no_divergence_and_follows_it_everywhere():
    sample = split_of(0, 50)
    found = {row["quantity"]: row["value"] for row in rows_of(sample, sample) if row["decile"] is None}
    assert found["kl"] == 0 and found["agreement"] == 1
    assert found["confidence-correlation"] == pytest.approx(1)
    assert found["confidence-correlation-both-correct"] == pytest.approx(1)


def test_spearman_ranks_ties_by_their_mean():
    """Ranks 1, 2.5, 2.5, 4 and 1, 2, 3, 4 around 2.5: 4.5 / sqrt(4.5 x 5)."""
    assert fidelity.spearman(np.array([0, 5, 5, 9]), np.array([1, 2, 3, 4])) == pytest.approx(4.5 / 22.5**0.5)
    with pytest.raises(Undefined, match="differ"):
        fidelity.spearman(np.ones(3), np.arange(3))


def test_the_correlation_where_both_are_correct_leaves_out_the_others():
    student = of_probabilities((0.9, 0.1), (0.8, 0.2), (0.7, 0.3), (0.4, 0.6), (0.01, 0.99))
    teacher = of_probabilities((0.9, 0.1), (0.7, 0.3), (0.8, 0.2), (0.99, 0.01), (0.6, 0.4))
    rows = rows_of(student, teacher)
    assert find(rows, quantity="confidence-correlation-both-correct")["value"] == pytest.approx(0.5)  # 1, 3, 2
    assert find(rows, quantity="confidence-correlation")["value"] != pytest.approx(0.5)


def test_several_teachers_are_their_mean_probability():
    """Of (.9, .1) and (.3, .7) the mean is (.6, .4), of which the mean of logits would be (.66, .34)."""
    both = [of_probabilities((0.9, 0.1), (0.5, 0.5)), of_probabilities((0.3, 0.7), (0.5, 0.5))]
    mean = fidelity.mean_of(both)
    np.testing.assert_allclose(np.exp(mean.logits), [(0.6, 0.4), (0.5, 0.5)])
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(mean.logits, (both[0].logits + both[1].logits) / 2)


def test_deciles_differ_by_one_image_at_most_and_follow_the_entropy():
    found = fidelity.deciles_of(np.array([5.0, *range(10, 24), 1.0]))
    assert found[15] == 1 and found[0] == 1 and found[14] == 10  # the lowest two of sixteen, and the highest
    assert set(np.bincount(found)[1:]) == {1, 2}


def test_gains_by_decile_are_differences_from_the_reference():
    """Ten images, one in each decile, as the teacher is less and less certain."""
    certain = np.linspace(0.95, 0.55, 10)
    teacher = of_probabilities(*((p, 1 - p) for p in certain))
    student = of_probabilities(*((0.9, 0.1) for _ in range(9)), (0.2, 0.8))
    reference = of_probabilities((0.4, 0.6), *((0.7, 0.3) for _ in range(9)))
    rows = rows_of(student, teacher, {"ce": reference})

    def value(quantity: str, decile: int, of=None):
        return find(rows, quantity=quantity, decile=decile, reference=of)["value"]

    assert [value("error", decile) for decile in (1, 2, 10)] == [0, 0, 1]
    assert [value("error", decile, "ce") for decile in (1, 2, 10)] == [-1, 0, 1]
    assert value("confidence-correct", 2, "ce") == pytest.approx(0.9 - 0.7)
    assert value("confidence-incorrect", 10) == pytest.approx(0.8)
    missing = find(rows, quantity="confidence-incorrect", decile=10, reference="ce")
    assert missing["value"] is None and missing["reason"] == "no incorrect samples" and missing["n"] == 1


def test_what_is_not_known_has_a_reason():
    unknown = Predictions(None, np.zeros(4, int), predicted=np.zeros(4, int))
    assert find(rows_of(references={"given": unknown}), quantity="error", decile=1, reference="given")["reason"]
    rows = rows_of()
    few = find(rows, quantity="error", decile=2)  # of four images
    assert few["value"] is None and few["n"] == 0
    assert all(row["reason"] for row in rows_of(teacher=unknown) if row["quantity"] == "kl")


def test_the_order_of_images_changes_no_number():
    student, teacher, order = split_of(0, 97), split_of(1, 97), np.random.default_rng(0).permutation(97)
    one, other = rows_of(student, teacher), rows_of(student.rows(order), teacher.rows(order))
    assert [row["quantity"] for row in one] == [row["quantity"] for row in other]
    values = [[np.nan if row["value"] is None else row["value"] for row in rows] for rows in (one, other)]
    np.testing.assert_allclose(*values)


def test_targets_are_the_teachers_logits_times_a_factor():
    """Of (.8, .2) and (.6, .4), twice the logits are (16, 1) / 17 and (9, 4) / 13; both are correct."""
    teacher = of_probabilities((0.8, 0.2), (0.6, 0.4))
    rows = rows_of(teacher, teacher, factor=2)
    assert find(rows, quantity="target-ece")["value"] == pytest.approx((1 / 17 + 4 / 13) / 2)
    assert find(rows, quantity="teacher-ece")["value"] == pytest.approx((0.2 + 0.4) / 2)
    p, q = 1 / 17, 4 / 13
    entropy = -sum(r * np.log(r) + (1 - r) * np.log(1 - r) for r in (p, q)) / 2
    assert find(rows, quantity="target-entropy")["value"] == pytest.approx(entropy)


def test_the_factor_of_a_target_is_known_fitted_on_val_or_none():
    val = split_of(0, 400)
    twice = Predictions(2 * val.logits, val.labels)
    assert fidelity.factor_of(3.0, val) == 3
    assert fidelity.factor_of("val", twice) == pytest.approx(fidelity.factor_of("val", val) / 2, rel=1e-6)
    with pytest.raises(Undefined, match="no factor"):
        fidelity.factor_of(None, val)
