"""Gains of messages, relative to those of other classes, and the weight with which they decide."""

from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from scipy.special import log_softmax
from small_groups import SPLITS
from small_messages import CLEAN, HALF, MODELS, sent, settings_of

from selfdoubt.communication import decisions, exchange, gains
from selfdoubt.figures.kinds.message_examples import of_pairs
from selfdoubt.runtime.schemas.persuasion import PERSUASION_SCHEMA

OWN = np.eye(2, dtype=bool)
GAINS = [[[9, 3], [1, 9]], [[9, 0], [1, 9]]]


def two_messages(gained: list = GAINS, predicted: list = GAINS, of_random: list = GAINS) -> exchange.Messages:
    """Messages for the classes 2 and 0 about image 1 of 3, between two models: gained[class][sender][listener]."""
    return exchange.Messages(
        np.array([1]), np.array([[2, 0]]), *map(np.array, ([gained], [predicted], [of_random])), {}
    )


def relative(relative_to: str, **found) -> np.ndarray:
    messages = two_messages(**found)
    return gains.relative_gains(messages, gains.mean_gains(messages, ~OWN, OWN, relative_to), 3, 4)[1]


def test_relative_gains_by_hand():
    # Others gain 3 and 1 from the messages for class 2 (mean 2), 0 and 1 from those for class 0 (mean 0.5);
    # what senders gain (9) does not count. Less the mean of the candidates (1.25): 0.75 and -0.75.
    messages = two_messages()
    mean = gains.mean_gains(messages, ~OWN, OWN, "none")
    np.testing.assert_allclose(mean, [[2, 0.5]])
    expected = [[0, 0, 0, 0], [-0.75, 0, 0.75, 0], [0, 0, 0, 0]]
    np.testing.assert_allclose(gains.relative_gains(messages, mean, 3, 4), expected)


def test_gains_relative_to_random_signs_by_hand():
    # Random signs gain others 1 and 0 of class 2 (mean 0.5), 4 and 2 of class 0 (mean 3): 1.5 and -2.5, mean -0.5.
    of_random = [[[8, 1], [0, 8]], [[8, 4], [2, 8]]]
    np.testing.assert_allclose(relative("random-sign", of_random=of_random), [-2, 0, 2, 0])
    np.testing.assert_allclose(relative("random-sign"), [0, 0, 0, 0])  # as much as they gain themselves


def test_gains_relative_to_the_senders_own_by_hand():
    # Senders gain 9 and 11 of class 2 (mean 10), 3 and 1 of class 0 (mean 2): others' 2 / 10 and 0.5 / 2, mean 0.225.
    gained = [[[9, 3], [1, 11]], [[3, 0], [1, 1]]]
    np.testing.assert_allclose(relative("sender", gained=gained), [0.025, 0, -0.025, 0])
    # A sender that does not gain itself gives no infinite ratio: 0.5 / 0.01.
    gained = [[[9, 3], [1, 11]], [[-1, 0], [1, 1]]]
    np.testing.assert_allclose(relative("sender", gained=gained), [24.9, 0, -24.9, 0])


def test_persuasion_rows_by_hand():
    # Image 1 has label 2: the message for 2 is true, the one for 0 wrong. Listener b predicts 2 after both.
    predicted = [[[2, 2], [0, 2]], [[0, 2], [2, 2]]]
    messages = two_messages(gained=[[[9, 3], [1, 8]], [[7, 0], [-1, 6]]], predicted=predicted)
    labels, clean, pair = np.array([0, 2, 1]), np.array([[0, 0], [0, 1], [0, 0]]), ["a", "b"]
    rows = exchange.persuasion_rows(messages, labels, clean, pair, pair)
    found = {(r["sender"], r["listener"], r["message"]): [*r.values()][3:] for r in rows}
    assert [*rows[0]] == [*PERSUASION_SCHEMA.names]
    assert found["a", "b", "true"] == [3, 1, 1, 1]
    assert found["a", "b", "other"] == [0, 1, 0, 1]
    assert found["b", "a", "true"] == [1, 1, 0, 1]
    assert found["a", "a", "other"] == [7, 1, None, 0]  # a predicts 0 before: it cannot be persuaded of it
    assert len(rows) == 2 * 2 * 2


def test_persuasion_rows_fit_their_schema_even_without_messages():
    for below, n in ((HALF, None), (0.0, 0)):
        answers = np.stack([logits.argmax(1) for logits in CLEAN.values()], axis=1)
        messages = sent(contested_below=below)
        rows = exchange.persuasion_rows(messages, SPLITS["test"].labels, answers, [*MODELS], [*MODELS])
        pa.Table.from_pylist(rows, schema=PERSUASION_SCHEMA)
        assert n is None or {tuple(row.values())[3:] for row in rows} == {(None, 0, None, 0)}


def test_weights_are_fitted_by_likelihood():
    # Two classes, prior 1/2 each, relative gains (1, -1). Of four images three are of class 0: the best weight
    # has softmax (w, -w) = (3/4, 1/4), hence 2w = ln 3. The fifth image has no messages and no influence.
    log_mean, relative = np.full((5, 2), np.log(0.5)), np.array([[1.0, -1.0]] * 4 + [[0.0, 0.0]])
    weight = gains.fit_weight(log_mean, relative, np.array([0, 0, 0, 1, 1]))
    assert weight == pytest.approx(np.log(3) / 2, abs=1e-4)
    assert gains.fit_weight(log_mean, -relative, np.array([0, 0, 0, 1, 1])) == pytest.approx(-weight, abs=1e-4)
    assert gains.fit_weight(log_mean, relative, np.array([0, 0, 0, 0, 1])) == pytest.approx(10, abs=1e-3)
    assert gains.fit_weight(log_mean, 0 * relative, np.array([0, 0, 0, 1, 1])) == 0


def test_val_is_decided_by_weights_that_were_fitted_without_its_fold(monkeypatch):
    monkeypatch.setattr(gains, "stratified_folds", lambda labels, n_folds: np.arange(len(labels)) % n_folds)
    draws = np.random.default_rng(0)
    log_prior, labels = log_softmax(draws.normal(size=(50, 3)), 1), draws.integers(0, 3, 50)
    relative, first = draws.normal(size=(50, 3)), np.arange(50) % 5 == 0
    weights = gains.weights_out_of_fold(log_prior, relative, labels)
    alone = gains.fit_weight(log_prior[~first], relative[~first], labels[~first])
    assert (weights[first] == alone).all() and len(np.unique(weights)) == 5
    val, other = SPLITS["val"], {}
    fold = np.arange(60) % 5 == 0
    other = SimpleNamespace(images=val.images, labels=np.where(fold, (val.labels + 1) % 5, val.labels))
    one, two = (
        decisions.decide(MODELS, SPLITS | {"val": each}, settings_of(), 0).logits["val"] for each in (val, other)
    )
    np.testing.assert_array_equal(one[fold], two[fold])
    assert not np.array_equal(one, two)


def test_the_gains_that_are_kept_are_of_listeners_that_did_not_send():
    kept = gains.kept_of(two_messages(), ~OWN, OWN, "none")
    np.testing.assert_array_equal(kept.gains, [[[3, 1], [0, 1]]])  # image, class, pair
    np.testing.assert_array_equal(kept.candidates, [[2, 0]])


def test_gains_that_are_kept_find_their_sender_and_listener_again():
    """As the figure of single images places them: so that means over images are those of the persuasion table."""
    decision = decisions.decide(MODELS, SPLITS, settings_of(), 0)
    kept, labels = decision.kept["test"], SPLITS["test"].labels
    placed = of_pairs(kept.gains, len(MODELS))
    assert np.isnan(placed[:, :, np.eye(3, dtype=bool)]).all()
    for row in decision.persuasion:
        pair = [[*MODELS].index(row[side]) for side in ("sender", "listener")]
        meant = (kept.candidates == labels[kept.rows][:, None]) == (row["message"] == "true")
        if pair[0] != pair[1]:
            assert placed[..., pair[0], pair[1]][meant].mean() == pytest.approx(row["gain"])
