"""Groups decide from predictions alone: by pools, votes, the most confident member, and a regression."""

from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from scipy.special import log_softmax, softmax

from selfdoubt.communication import combining, out_of_fold, pools, probabilities
from selfdoubt.communication.folds import stratified_folds
from selfdoubt.communication.protocols import (
    class_bias,
    majority_vote,
    mean_logit,
    most_confident,
    stacking,
    weighted_pool,
)
from selfdoubt.evaluation.softmax import fit_temperature
from selfdoubt.runtime import table_files
from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.registry import settings_of

MEAN = SimpleNamespace(method="mean-probability")
STACKING = SimpleNamespace(method="stacking", penalty=[0.1, 1.0], n_folds=3)
STACKING_FREE = SimpleNamespace(method="stacking", penalty=[0.001], n_folds=3)
METHODS = [name for name, settings in settings_of("protocols").items() if not settings.runs_models]
FITTED = ["stacking", "best-member-stacking", "class-bias", "weighted-pool"]
SETTINGS = {method: SimpleNamespace(method=method) for method in METHODS}
SETTINGS |= {method: SimpleNamespace(**vars(STACKING) | {"method": method}) for method in FITTED}


def predictions(logits: list[list[float]], labels: list[int], split: str = "test", n_classes: int = 2) -> pa.Table:
    rows = [
        {"split": split, "image_id": i, "label": label, "logits": row}
        for i, (row, label) in enumerate(zip(logits, labels, strict=True))
    ]
    return pa.Table.from_pylist(rows, schema=table_files.predictions_schema(n_classes))


def some_logits(n: int, seed: int, n_members: int = 3, n_classes: int = 4) -> tuple[list[np.ndarray], np.ndarray]:
    """Members that see the label through noise of their own and some that they share."""
    draws = np.random.default_rng(seed)
    labels = np.arange(n) % n_classes
    shared = 1.5 * np.eye(n_classes)[labels] + draws.normal(size=(n, n_classes))
    members = [shared + draws.normal(size=shared.shape) for _ in range(n_members)]
    return [member.astype(np.float32) for member in members], labels


VAL, LABELS = some_logits(60, 0)
TEST, _ = some_logits(40, 1)


def decide(settings, logits: list[np.ndarray] = TEST, val: list[np.ndarray] = VAL) -> tuple[np.ndarray, dict]:
    """The decision on test, and what was chosen on val."""
    rows = [np.concatenate(pair) for pair in zip(val, logits, strict=True)]
    is_val = np.arange(len(rows[0])) < len(val[0])
    found = combining.decide(combining.Members(rows, is_val, LABELS), settings)
    return found.log_probabilities[~is_val], found.chosen


def decided(method: str, logits: list[np.ndarray] = TEST) -> np.ndarray:
    return decide(SETTINGS[method], logits)[0]


@pytest.mark.parametrize("method", METHODS)
def test_every_method_gives_log_probabilities(method):
    found = decided(method)
    assert found.shape == (40, 4) and found.dtype == np.float64
    np.testing.assert_allclose(np.exp(found).sum(1), 1)


@pytest.mark.parametrize("method", METHODS)
def test_a_shift_of_a_members_logits_changes_nothing(method):
    moved = [TEST[0] + 5, TEST[1], TEST[2] - 3]
    np.testing.assert_allclose(decided(method, moved), decided(method), atol=1e-5)


@pytest.mark.parametrize("method", ["mean-probability", "mean-logit", "majority-vote"])
def test_equal_members_are_the_group_whatever_their_order(method):
    same, order = decided(method, [TEST[0]] * 3), decided(method, [TEST[2], TEST[0], TEST[1]])
    np.testing.assert_allclose(order, decided(method), rtol=1e-6)
    np.testing.assert_array_equal(same.argmax(1), TEST[0].argmax(1))
    if method != "majority-vote":
        np.testing.assert_allclose(same, log_softmax(TEST[0].astype(float), 1), atol=1e-6)


def test_mean_probability_by_hand():
    # softmax (ln 3, 0) = (3/4, 1/4) and softmax (0, 0) = (1/2, 1/2): the mean is (5/8, 3/8).
    found = probabilities.mean_probability([np.array([[np.log(3), 0]]), np.array([[0.0, 0.0]])])
    np.testing.assert_allclose(np.exp(found), [[5 / 8, 3 / 8]], rtol=1e-6)


def test_mean_logit_is_the_geometric_mean_by_hand():
    # (9/10, 1/10) and (1/2, 1/2): the geometric means are as sqrt(9/20) to sqrt(1/20), that is 3 to 1.
    found = mean_logit.mean_logit([np.array([[np.log(9), 0]]), np.array([[7.0, 7.0]])])
    np.testing.assert_allclose(np.exp(found), [[3 / 4, 1 / 4]], rtol=1e-6)


def test_majority_vote_by_hand():
    # Votes for classes 0, 0, 1 of three; means (0.4, 0.5, 0.1): ((2 + 0.4) / 4, (1 + 0.5) / 4, 0.1 / 4).
    members = [np.log([[p]])[0] for p in ([0.45, 0.4, 0.15], [0.5, 0.35, 0.15], [0.25, 0.75, 1e-9])]
    mean = np.mean([softmax(m[0]) for m in members], axis=0)
    found = np.exp(majority_vote.majority_vote(members))
    np.testing.assert_allclose(found, [(np.array([2, 1, 0]) + mean) / 4])
    assert mean.argmax() == 1 and found.argmax() == 0  # votes, not the mean, decide


def test_the_mean_probability_breaks_ties_of_votes():
    members = [np.log(np.array([[0.6, 0.3, 0.1]])), np.log(np.array([[0.1, 0.8, 0.1]]))]
    assert majority_vote.majority_vote(members).argmax() == 1
    assert majority_vote.majority_vote([members[0], members[1][:, [1, 0, 2]]]).argmax() == 0


def test_the_mean_never_outweighs_a_vote_and_no_probability_is_0():
    # One member prefers class 0 by a hair, the other is all but certain of 1; a third votes for 0 as the first.
    members = [np.array([[1e-3, 0.0]], np.float32)] * 2 + [np.array([[0.0, 900.0]], np.float32)]
    found = majority_vote.majority_vote(members)
    assert found.argmax() == 0 and np.isfinite(found).all()


def test_the_most_confident_member_decides_at_its_temperature():
    found, chosen = decide(SETTINGS["most-confident"])
    temperatures = [fit_temperature(member, LABELS) for member in VAL]
    assert chosen == {"temperatures": temperatures} and len(set(temperatures)) == 3
    each = np.array([log_softmax(m.astype(float) / t, 1) for m, t in zip(TEST, temperatures, strict=True)])
    for i, row in enumerate(found):
        np.testing.assert_allclose(row, each[each[:, i].max(1).argmax(), i])


def test_an_overconfident_member_does_not_decide_everything():
    # The first member's logits are twenty times the second's: at their temperatures they are equally confident, and the
    # third decides wherever it is more confident than the second.
    settings = SETTINGS["most-confident"]
    found, chosen = decide(settings, [20 * TEST[1], TEST[1], TEST[2]], [20 * VAL[1], VAL[1], VAL[2]])
    without, fitted = decide(settings, TEST[1:], VAL[1:])
    np.testing.assert_allclose(found, without, rtol=1e-4)
    assert chosen["temperatures"][0] == pytest.approx(20 * fitted["temperatures"][0], rel=1e-4)


def test_saturated_members_are_compared_by_log_odds():
    members = [np.array([[40.0, 0.0]]), np.array([[0.0, 50.0]])]  # both probabilities round to 1
    assert most_confident.most_confident(members, [1.0, 1.0]).argmax() == 1


# ---- stacking ----


def test_stacking_with_an_immense_penalty_is_the_mean_logit():
    weights = stacking.fit_weights(VAL, LABELS, 1e9)
    np.testing.assert_allclose(stacking.stack(TEST, weights), mean_logit.mean_logit(TEST), atol=1e-6)


def test_stacking_is_at_the_minimum_of_its_loss():
    """By a naive gradient of the loss as the docstring states it, weight by weight."""
    members, penalty = [member[:, :2] for member in VAL[:2]], 0.05
    labels = LABELS % 2
    weights = stacking.fit_weights(members, labels, penalty)

    def loss(w: np.ndarray) -> float:
        total = 0.0
        for i, label in enumerate(labels):
            log_p = [log_softmax(member[i].astype(float)) for member in members]
            z = sum(log_p) / 2 + w[-1]
            for k, of_member in enumerate(log_p):
                z = z + of_member @ w[2 * k : 2 * k + 2]
            total -= log_softmax(z)[label]
        return total / len(labels) + penalty / 2 * (w**2).sum()

    assert weights.shape == (5, 2)
    for place in np.ndindex(weights.shape):
        step = np.zeros(weights.shape)
        step[place] = 1e-3
        slope = (loss(weights + step) - loss(weights - step)) / 2e-3
        assert abs(slope) < 1e-4
        assert loss(weights) < loss(weights + 20 * step)


def test_stacking_learns_which_member_is_informative():
    """A member that swaps the classes is corrected, a member of noise is ignored."""
    draws = np.random.default_rng(0)
    labels = np.arange(400) % 2
    swapped = 2.0 * np.eye(2)[1 - labels] + draws.normal(size=(400, 2))
    members = [swapped, draws.normal(size=(400, 2))]
    weights = stacking.fit_weights(members, labels, 1e-3)
    assert (stacking.stack(members, weights).argmax(1) == labels).mean() > 0.85
    assert (mean_logit.mean_logit(members).argmax(1) == labels).mean() < 0.3
    assert np.abs(weights[:2]).sum() > 5 * np.abs(weights[2:4]).sum()


def test_the_penalty_is_that_of_least_nll_on_images_held_out():
    penalties, n_folds = [0.001, 0.1, 10.0], 3
    fold, losses, predicted = stratified_folds(LABELS, n_folds), [], {}
    for penalty in penalties:
        loss, predicted[penalty] = 0.0, np.empty((60, 4))
        for k in range(n_folds):
            weights = stacking.fit_weights([m[fold != k] for m in VAL], LABELS[fold != k], penalty)
            log_p = stacking.stack([m[fold == k] for m in VAL], weights)
            loss -= log_p[np.arange((fold == k).sum()), LABELS[fold == k]].sum()
            predicted[penalty][fold == k] = log_p
        losses.append(loss)
    best = penalties[int(np.argmin(losses))]
    assert best != 0.001
    for order in (penalties, penalties[::-1]):
        settings = SimpleNamespace(penalty=order, n_folds=n_folds)
        found = out_of_fold.cross_validate(VAL, LABELS, settings, stacking.fit_weights, stacking.stack)
        assert found.penalty == best
        np.testing.assert_allclose(found.of_val(VAL), predicted[best], atol=1e-4)  # the fits began elsewhere
    _, chosen = decide(SimpleNamespace(method="stacking", penalty=penalties, n_folds=n_folds))
    assert chosen == {"penalty": best}


def test_folds_spread_every_class_and_all_images():
    labels = np.array([2] * 7 + [0] * 5 + [1])
    found = stratified_folds(labels, 3)
    assert sorted(np.bincount(found, minlength=3)) == [4, 4, 5]
    assert sorted(np.bincount(found[labels == 2])) == [2, 2, 3]
    assert sorted(np.bincount(found[labels == 0])) == [1, 2, 2]


# ---- references: the best member, and what a few numbers fitted on val give ----


def test_the_best_member_is_chosen_by_its_accuracy_on_val_and_costs_one_pass():
    wrong = np.eye(4, dtype=np.float32)[(LABELS + 1) % 4]
    val = [wrong, VAL[1], wrong]
    found, chosen = decide(SETTINGS["best-member"], val=val)
    np.testing.assert_allclose(found, log_softmax(TEST[1].astype(float), 1))
    assert chosen == {"member": 1}
    members = combining.Members([*map(np.concatenate, zip(val, TEST, strict=True))], np.arange(100) < 60, LABELS)
    for method in ("best-member", "best-member-stacking"):
        assert combining.decide(members, SETTINGS[method]).forwards == 1
    assert combining.decide(members, SETTINGS["weighted-pool"]).forwards is None


def test_stacking_of_the_best_member_knows_no_other():
    val = [np.zeros((60, 4), np.float32), VAL[1]]
    found, chosen = decide(SETTINGS["best-member-stacking"], TEST[:2], val)
    alone, fitted = decide(STACKING, TEST[1:2], VAL[1:2])
    np.testing.assert_array_equal(found, alone)
    assert chosen == fitted | {"member": 1}


def test_a_class_bias_by_hand():
    # Every image has mean probabilities (1/2, 1/2), three of four are of class 0: b_0 - b_1 = ln 3 without a penalty.
    logits, labels = [np.zeros((8, 2)), np.zeros((8, 2))], np.array([0, 0, 0, 1] * 2)
    found = class_bias.BIAS.predict(logits, class_bias.BIAS.fit(logits, labels, 1e-9))
    np.testing.assert_allclose(np.exp(found), [[3 / 4, 1 / 4]] * 8, atol=1e-3)
    held = class_bias.BIAS.predict(logits, class_bias.BIAS.fit(logits, labels, 1e9))
    np.testing.assert_allclose(np.exp(held), [[1 / 2, 1 / 2]] * 8, atol=1e-6)


def test_a_weighted_pool_by_hand():
    # One member has log-odds of +-1 and is correct as often as softmax (2, 0) says; the other says nothing, so that its
    # weight stays at 1/2. Without a penalty the first has a weight of 2.
    n, p = 10_000, 1 / (1 + np.exp(-2))
    correct = np.arange(n) < round(p * n)
    labels = np.arange(n) % 2
    seen = np.where(correct, labels, 1 - labels)
    logits = [np.eye(2)[seen], np.zeros((n, 2))]
    weights = weighted_pool.POOL.fit(logits, labels, 1e-9)
    np.testing.assert_allclose(weights[:2], [2 - 1 / 2, 0], atol=1e-2)
    np.testing.assert_allclose(weights[2] - weights[3], 0, atol=1e-2)


@pytest.mark.parametrize("protocol", [weighted_pool, class_bias])
def test_an_immense_penalty_leaves_the_pool_without_weights(protocol):
    fit, predict = (weighted_pool.POOL.fit, weighted_pool.POOL.predict) if protocol is weighted_pool else (
        class_bias.BIAS.fit, class_bias.BIAS.predict)  # fmt: skip
    plain = mean_logit.mean_logit(TEST) if protocol is weighted_pool else probabilities.mean_probability(TEST)
    np.testing.assert_allclose(predict(TEST, fit(VAL, LABELS, 1e9)), plain, atol=1e-6)


def test_a_pool_is_at_the_minimum_of_its_loss():
    """By differences of the loss as the docstring states it."""
    features, offset, penalty = np.stack(VAL[:2]).astype(float), VAL[2].astype(float), 0.05
    weights = pools.fit(offset, features, LABELS, penalty)

    def loss(w: np.ndarray) -> float:
        z = offset + w[0] * features[0] + w[1] * features[1] + w[2:]
        return -log_softmax(z, 1)[np.arange(60), LABELS].mean() + penalty / 2 * (w**2).sum()

    assert weights.shape == (2 + 4,)
    for place in range(6):
        step = 1e-4 * np.eye(6)[place]
        assert abs(loss(weights + step) - loss(weights - step)) / 2e-4 < 1e-5
        assert loss(weights) < loss(weights + 100 * step)


@pytest.mark.parametrize(
    ("method", "fit", "predict"),
    [
        ("class-bias", class_bias.BIAS.fit, class_bias.BIAS.predict),
        ("weighted-pool", weighted_pool.POOL.fit, weighted_pool.POOL.predict),
    ],
)
def test_val_is_predicted_by_fits_without_its_fold(method, fit, predict):
    rows, fold = [np.concatenate(pair) for pair in zip(VAL, TEST, strict=True)], stratified_folds(LABELS, 3)
    settings = SimpleNamespace(method=method, penalty=[0.1], n_folds=3)
    found = combining.decide(combining.Members(rows, np.arange(100) < 60, LABELS), settings).log_probabilities
    for k in range(3):
        weights = fit([member[fold != k] for member in VAL], LABELS[fold != k], 0.1)
        expected = predict([member[fold == k] for member in VAL], weights)
        np.testing.assert_allclose(found[:60][fold == k], expected, atol=1e-6)
    np.testing.assert_allclose(found[60:], predict(TEST, fit(VAL, LABELS, 0.1)), atol=1e-6)


# ---- tables ----


def test_a_group_keeps_the_rows_of_its_members():
    members = [predictions([[np.log(3), 0], [0, 0]], [0, 1]), predictions([[0, 0], [0, np.log(3)]], [0, 1])]
    found = combining.combine(members, MEAN)[0]
    assert found["label"].to_pylist() == [0, 1]
    np.testing.assert_allclose(np.exp(found["logits"].to_pylist()), [[5 / 8, 3 / 8], [3 / 8, 5 / 8]], rtol=1e-6)


def test_members_that_saw_other_images_are_refused():
    with pytest.raises(UserError, match="its labels are not those of member 1"):
        combining.combine([predictions([[0, 0]], [0]), predictions([[0, 0]], [1])], MEAN)


def test_a_group_keeps_the_classes_of_ood_images():
    member = predictions([[0, 0], [1, 0]], [-1, -1]).append_column("ood_class", pa.array([4, 7], pa.int16()))
    assert combining.combine([member, member], MEAN)[0]["ood_class"].to_pylist() == [4, 7]


def tables(val: list[np.ndarray], labels: np.ndarray) -> list[pa.Table]:
    test, val_labels = [0] * 40, labels.tolist()
    return [
        pa.concat_tables([predictions(t.tolist(), test, "test", 4), predictions(v.tolist(), val_labels, "val", 4)])
        for v, t in zip(val, TEST, strict=True)
    ]


@pytest.mark.parametrize("method", ["most-confident", *FITTED])
def test_what_is_fitted_is_fitted_on_val_alone(method):
    found, combined = combining.combine(tables(VAL, LABELS), SETTINGS[method])
    logits = np.array(found["logits"].to_pylist())
    np.testing.assert_allclose(logits[:40], decided(method), atol=1e-5)
    assert combined.chosen == decide(SETTINGS[method])[1]
    others, _ = combining.combine(tables(VAL, np.minimum(LABELS + 1, 3)), SETTINGS[method])
    assert np.abs(np.array(others["logits"].to_pylist())[:40] - logits[:40]).max() > 0.01


def test_the_predictions_of_val_by_stacking_are_out_of_fold():
    found, _ = combining.combine(tables(VAL, LABELS), STACKING_FREE)
    logits = np.array(found["logits"].to_pylist())
    fitted = out_of_fold.cross_validate(VAL, LABELS, STACKING_FREE, stacking.fit_weights, stacking.stack)
    held_out = fitted.of_val(VAL)
    np.testing.assert_allclose(logits[40:], held_out, atol=1e-5)
    own = stacking.stack(VAL, stacking.fit_weights(VAL, LABELS, STACKING_FREE.penalty[0]))
    nll_own, nll_held_out = (-log_p[np.arange(60), LABELS].mean() for log_p in (own, held_out))
    assert nll_held_out > nll_own + 0.1  # which would have flattered


@pytest.mark.parametrize(
    ("method", "val", "reason"),
    [
        ("most-confident", VAL[0][:0], "no samples in val"),
        *((method, VAL[0][:2], "2 samples in val, and 3 folds") for method in FITTED),
        ("best-member", VAL[0][:0], "no samples in val"),
        ("most-confident", np.full((60, 4), np.nan, np.float32), "row 0 has a logit that is not finite"),
        *((method, np.full((60, 4), np.nan, np.float32), "row 0 has a logit that is not") for method in FITTED),
    ],
)
def test_val_on_which_nothing_can_be_fitted_is_named(method, val, reason):
    members = tables([val] * 3, LABELS[: len(val)])
    with pytest.raises(UserError, match=f"member 1, .*: {method} cannot be fitted .*{reason}"):
        combining.combine(members, SETTINGS[method])
