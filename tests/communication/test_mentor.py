"""Mentors: members are selected by what is expected of them."""

from types import SimpleNamespace

import numpy as np
import pytest
from small_groups import SPLITS, network

from selfdoubt.communication import decisions, exchange, out_of_fold
from selfdoubt.communication.probabilities import log_probabilities, mean_probability
from selfdoubt.communication.protocols import mentor
from selfdoubt.enhancers.batches import counted
from selfdoubt.models import inference
from selfdoubt.runtime.errors import UserError

MODELS = {"one": network(1), "two": network(2), "three": network(3)}
CLEAN = {s: [inference.predict_logits(m, each.images) for m in MODELS.values()] for s, each in SPLITS.items()}
MEAN = mean_probability(CLEAN["test"])
HALF = float(np.median(np.exp(MEAN.max(1))))
MENTOR = {"method": "mentor", "message": "gradient", "epsilon_255": 8, "n_steps": 1, "n_candidates": 2}
MENTOR |= {"contested_below": HALF, "gains_relative_to": "none", "precision": "float32", "penalty": [0.1, 1]}
MENTOR |= {"n_folds": 3}
READS = ["reactions", "predictions"]


def decide(models: dict = MODELS, splits: dict = SPLITS, **values) -> decisions.Decision:
    return decisions.decide(models, splits, SimpleNamespace(**MENTOR | values), seed=0)


@pytest.mark.parametrize("reads", READS)
def test_a_member_decides_where_the_mean_is_contested(reads):
    found = decide(reads=reads).logits["test"]
    contested = np.exp(MEAN.max(1)) < HALF
    np.testing.assert_allclose(found[~contested], MEAN[~contested], atol=1e-6)
    each = np.stack([log_probabilities(member) for member in CLEAN["test"]])[:, contested]
    chosen = np.abs(each - found[contested]).max(2) < 1e-5  # (L, m)
    assert chosen.any(0).all() and chosen.any(1).sum() > 1


@pytest.mark.parametrize("reads", READS)
def test_labels_of_a_fold_do_not_decide_about_its_images(reads, monkeypatch):
    monkeypatch.setattr(out_of_fold, "stratified_folds", lambda labels, n_folds: np.arange(len(labels)) % n_folds)
    val = SPLITS["val"]
    fold = np.full(60, -1)
    contested = np.flatnonzero(np.exp(mean_probability(CLEAN["val"]).max(1)) < HALF)
    fold[contested] = np.arange(len(contested)) % 3
    other = SimpleNamespace(images=val.images, labels=np.where(fold == 0, (val.labels + 1) % 5, val.labels))
    one, two = (
        decide(splits=SPLITS | {"val": each}, reads=reads, penalty=[0.1]).logits["val"] for each in (val, other)
    )
    np.testing.assert_array_equal(one[fold == 0], two[fold == 0])


def test_a_mentor_keeps_the_gains_that_persuasion_keeps():
    kept = decide(reads="reactions").kept
    persuasion = decide(method="persuasion").kept
    assert persuasion["test"].gains.size
    for split in ("val", "test"):
        for mine, theirs in zip(kept[split], persuasion[split], strict=True):
            np.testing.assert_array_equal(mine, theirs)
    assert not decide(reads="predictions").kept


def test_a_mentor_finds_who_is_correct():
    given = np.random.default_rng(0).normal(size=(200, 2))
    correct, settings = given[:, 0] > 0, SimpleNamespace(penalty=[0.001], n_folds=5)
    found = mentor._expected({"val": given, "test": given[:50]}, correct, settings)
    assert ((found["val"] > np.log(0.5)) == correct).mean() > 0.95
    assert ((found["test"] > np.log(0.5)) == correct[:50]).all()


def test_the_member_that_is_most_expected_to_be_correct_decides(monkeypatch):
    order = iter([-3.0, -1.0, -2.0])  # of members one, two and three

    def expected(given, correct, settings):
        log_p = next(order)
        return {name: np.full(len(x), log_p) for name, x in given.items()}

    monkeypatch.setattr(mentor, "_expected", expected)
    contested = np.exp(MEAN.max(1)) < HALF
    found = decide(reads="predictions").logits["test"][contested]
    np.testing.assert_allclose(found, log_probabilities(CLEAN["test"][1])[contested], atol=1e-6)


def test_a_mentor_is_given_what_the_others_messages_do_to_its_member_by_hand():
    logits = [np.log([[0.5, 0.3, 0.2]]), np.log([[0.2, 0.7, 0.1]]), np.log([[0.4, 0.4, 0.2]])]
    gains = np.arange(18.0).reshape(1, 2, 3, 3)  # of an image: two classes, senders, listeners
    predicted = np.zeros((1, 2, 3, 3), np.int16)
    predicted[0, 1, 2, 1] = 1  # by the third's message of the second class, member two still predicts its own
    sent = exchange.Messages(np.array([0]), np.array([[0, 1]]), gains, predicted, None, {})
    settings = SimpleNamespace(gains_relative_to="none")
    found = mentor._given(1, logits, sent, settings)[0]
    # Of class 1: log p by each member and by the mean; the next class of member two; whether the mean predicts 1.
    np.testing.assert_allclose(np.exp(found[:5]), [0.3, 0.7, 0.4, 1.4 / 3, 0.2], atol=1e-6)
    assert found[5] == 1
    assert [*found[6:10]] == [1, 7, 10, 16]  # gains of member two by the first's and third's messages, class by class
    assert [*found[10:]] == [1, 1, 1, 0]
    nothing = sent._replace(gains=gains[:0], predicted=predicted[:0])
    assert mentor._given(1, [each[:0] for each in logits], nothing, settings).shape == (0, 14)


def test_a_split_without_contested_images_is_decided_by_the_mean():
    image = SPLITS["test"].images[[int(np.exp(MEAN.max(1)).argmax())]]
    sure = SimpleNamespace(images=image, labels=np.zeros(1, int))
    found = decide(splits=SPLITS | {"ood-sure": sure}, reads="reactions", n_candidates=3).logits["ood-sure"]
    np.testing.assert_allclose(found[0], MEAN[np.exp(MEAN.max(1)).argmax()], atol=1e-5)


def test_the_control_sends_nothing_and_passes_are_those_that_are_taken():
    assert decide(reads="predictions").costs == {"forwards": 3, "backwards": 0}
    n_val, n_test = ((np.exp(mean_probability(CLEAN[split]).max(1)) < HALF).sum() for split in ("val", "test"))
    models = {name: network(i) for i, name in enumerate(MODELS, 1)}
    with counted(models["one"]) as one, counted(models["two"]) as two, counted(models["three"]) as three:
        found = decide(models, reads="reactions")
    sent = 3 * 2 * (1 + 3)  # an image: three senders, two classes, a step and three listeners
    assert sum(each["forwards"] for each in (one, two, three)) == 3 * (60 + 33) + sent * (n_val + n_test)
    assert found.costs == {
        "forwards": pytest.approx(3 + sent * n_test / 33),
        "backwards": pytest.approx(6 * n_test / 33),
    }


def test_val_without_enough_contested_images_is_named():
    with pytest.raises(UserError, match="0 contested samples in val, and 3 folds"):
        decide(reads="reactions", contested_below=0.0)
