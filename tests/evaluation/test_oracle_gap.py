"""Gaps to a perfect ordering and their parts, worked out by hand, and what holds of them always."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from selfdoubt.evaluation import oracle_gap, rankings
from selfdoubt.evaluation.correctness_model import fit_logistic, fitted_order
from selfdoubt.evaluation.gap_table import rows_of_gap
from selfdoubt.evaluation.predictions import Predictions
from selfdoubt.evaluation.undefined import Undefined

CONFIDENCE = np.array([0.9, 0.8, 0.7, 0.6])
CORRECT = np.array([True, False, True, True])
AGREEMENT, MOST = np.array([1, 0.5, 1, 0.8]), np.array([1, 0.6, 1, 0.8])
NOBODY = Undefined("nobody was asked")


def test_the_gap_is_the_bound_less_the_accuracy_of_what_is_accepted():
    found = oracle_gap.gap(CONFIDENCE, CORRECT)  # bounds 1, 1, 1, 3/4; accuracies 1, 1/2, 2/3, 3/4
    assert found == pytest.approx([0, 1 / 2, 1 / 3, 0])
    assert found.mean() == pytest.approx(rankings.e_aurc(CONFIDENCE, CORRECT))


def test_parts_by_hand():
    found = oracle_gap.parts(CONFIDENCE, CORRECT, AGREEMENT, MOST)
    assert found["noise"] == pytest.approx([0, 0, 1 - 2.8 / 3, 0])  # the best three of the Bayes classifier: 1, 1, .8
    assert found["approximation"] == pytest.approx([0, 0, 0, 0])  # the arm's best three agree as often
    assert found["ranking"] == pytest.approx([0, 1 - 1.5 / 2, (2.8 - 2.5) / 3, 0])
    assert found["rest"] == pytest.approx([0, (1.5 - 1) / 2, (2.5 - 2) / 3, 0])  # people agree more than the label
    assert found["bound-noise"] == pytest.approx([0, 0.4 / 2, 0.4 / 3, 0.6 / 4])
    assert found["bound-approximation"] == pytest.approx([0, 0.1 / 2, 0.1 / 3, 0.1 / 4])


def test_predictions_that_are_certainly_wrong_can_be_ordered_last_and_add_nothing():
    agreement, most = np.array([1.0, 0, 1, 0]), np.ones(4)
    found = oracle_gap.parts(CONFIDENCE, agreement.astype(bool), agreement, most)
    assert not found["noise"].any() and not found["approximation"].any() and not found["rest"].any()
    assert found["ranking"] == pytest.approx(oracle_gap.gap(CONFIDENCE, agreement.astype(bool)))


def drawn(seed: int, n: int = 60):
    """Confidence with ties, correctness, and fractions of people, of which the labels are one."""
    draws = np.random.default_rng(seed)
    people = draws.dirichlet(np.full(3, 0.4), n)
    predicted = draws.integers(0, 3, n)
    labels = np.array([draws.choice(3, p=p) for p in people])
    return draws.integers(0, 9, n) / 10, predicted == labels, people[np.arange(n), predicted], people.max(1)


@pytest.mark.parametrize("seed", range(5))
def test_parts_add_up_at_each_coverage_and_to_the_e_aurc(seed):
    confidence, correct, agreement, most = drawn(seed)
    found = oracle_gap.parts(confidence, correct, agreement, most)
    summed = sum(found[part] for part in oracle_gap.PARTS)
    np.testing.assert_allclose(summed, oracle_gap.gap(confidence, correct), atol=1e-12)
    assert summed.mean() == pytest.approx(rankings.e_aurc(confidence, correct), abs=1e-12)
    assert found["noise"].min() > -1e-12 and found["ranking"].min() > -1e-12
    assert (found["noise"] + found["approximation"]).min() > -1e-12  # the best order of the arm is below its bound
    of_people = oracle_gap.upper_bound(agreement.mean(), 60) - oracle_gap.accepted_mean(confidence, agreement)
    assert (found["bound-noise"] + found["bound-approximation"] - of_people).min() > -1e-12
    best = oracle_gap.parts(agreement, correct, agreement, most)
    assert best["ranking"] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("correct", [np.ones(1, bool), np.zeros(1, bool), np.ones(3, bool), np.zeros(3, bool)])
def test_there_is_no_gap_where_there_is_nothing_to_order(correct):
    confidence, agreement = np.linspace(1, 0, len(correct)), np.full(len(correct), 0.5)
    assert not oracle_gap.gap(confidence, correct).any()
    found = oracle_gap.parts(confidence, correct, agreement, agreement)
    assert found["ranking"] == pytest.approx(0)
    assert sum(found[part] for part in oracle_gap.PARTS) == pytest.approx(0)


def test_equal_confidences_are_averaged_over_their_orders():
    assert oracle_gap.gap(np.ones(4), CORRECT) == pytest.approx([1 / 4, 1 / 4, 1 / 4, 0])
    shuffled = np.random.default_rng(0).permutation(60)
    confidence, correct, *_ = drawn(1)
    np.testing.assert_allclose(
        oracle_gap.gap(confidence, correct), oracle_gap.gap(confidence[shuffled], correct[shuffled]), atol=1e-12
    )


def test_the_deviation_of_the_rest_is_that_of_labels_drawn_from_people():
    draws = np.random.default_rng(3)
    agreement, confidence = draws.beta(4, 1, 1000), draws.random(1000)
    of_curve, of_mean = oracle_gap.rest_deviation(confidence, agreement)
    labels = draws.random((400, 1000)) < agreement
    rests = np.array([oracle_gap.parts(confidence, z, agreement, agreement)["rest"] for z in labels])
    assert of_mean == pytest.approx(rests.mean(1).std(), rel=0.12)
    assert of_curve[[299, 599, 949]] == pytest.approx(rests.std(0)[[299, 599, 949]], rel=0.12)


# ---- what can be mended ----


def test_another_order_of_the_same_order_mends_nothing():
    for monotone in (np.exp, lambda it: 3 * it - 1):
        assert not oracle_gap.gain_of_reordering(CONFIDENCE, monotone(CONFIDENCE), CORRECT).any()
    best = oracle_gap.gain_of_reordering(CONFIDENCE, CORRECT.astype(float), CORRECT)
    assert best == pytest.approx(oracle_gap.gap(CONFIDENCE, CORRECT))


def test_the_logistic_model_is_at_the_least_of_its_loss():
    draws = np.random.default_rng(0)
    features = draws.normal(size=(200, 3))
    correct = draws.random(200) < 1 / (1 + np.exp(-features[:, 0] - 1))
    weights = fit_logistic(features, correct)
    p = 1 / (1 + np.exp(-features @ weights[:3] - weights[3]))
    assert features.T @ (p - correct) / 200 + 0.01 * weights[:3] == pytest.approx(0, abs=1e-9)
    assert p.mean() == pytest.approx(correct.mean())


def predictions(seed: int, n: int) -> Predictions:
    """Three classes: where 2 is predicted, half of the predictions are incorrect, whatever the confidence."""
    draws = np.random.default_rng(seed)
    logits = draws.normal(0, 2, (n, 3)).astype(np.float32)
    predicted = logits.argmax(1)
    wrong = (predicted == 2) & (draws.random(n) < 0.5)
    return Predictions(logits, np.where(wrong, 0, predicted), image_ids=np.arange(n))


def test_a_model_of_correctness_finds_classes_that_are_often_wrong():
    val, test = predictions(0, 500), predictions(1, 500)
    order = fitted_order(val.logits, val.correct, test.logits)
    assert oracle_gap.gain_of_reordering(test.logits.max(1), order, test.correct).mean() > 0.03


WANTED = SimpleNamespace(scores=["msp", "pnorm"], coverages_percent=[50, 100])


def table(of: dict, people=NOBODY) -> dict:
    rows = rows_of_gap(of, people, WANTED)
    return {(row["score"], row["part"], row["coverage_percent"]): (row["value"], row["reason"]) for row in rows}


def test_rows_say_what_is_not_known_and_why():
    of = {"val": predictions(0, 300), "test": predictions(1, 200)}
    found = table(of)
    assert 0 < found["msp", "gap", None][0] < 1
    assert found["msp", "noise", None] == found["pnorm", "rest", 50] == (None, "nobody was asked")
    assert found["msp", "mended-by-logits", 50][0] > 0 and found["msp", "gap", 100][0] == pytest.approx(0)
    alone = table({"test": of["test"]})
    assert alone["msp", "gap", None] == found["msp", "gap", None]
    assert alone["msp", "mended-by-logits", None][0] is None and "val" in alone["msp", "mended-by-logits", None][1]
    given = Predictions(None, of["test"].labels, of["test"].labels, signals={"msp": np.arange(200) / 200})
    without = table({"test": given})
    assert without["msp", "gap", None] == (0, None) and without["pnorm", "gap", None][0] is None
    assert table({"test": given.rows(slice(0))})["msp", "gap", None] == (None, "no samples in test")


def test_rows_with_labels_of_people():
    of = {"val": predictions(0, 300), "test": predictions(1, 200)}
    people = np.eye(3)[of["test"].labels]
    found = table(of, people)
    for score in WANTED.scores:
        assert found[score, "ranking", None][0] == pytest.approx(found[score, "gap", None][0], abs=1e-12)
        assert found[score, "rest-deviation", None][0] == 0
        assert found[score, "mended-by-people", None][0] == pytest.approx(found[score, "gap", None][0])
    predicted = replace(of["test"], predicted=of["test"].labels)  # reported: all correct
    assert table(of | {"test": predicted}, people)["msp", "gap", None][0] == 0
