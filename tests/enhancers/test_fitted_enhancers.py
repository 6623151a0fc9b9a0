"""Enhancers that are fitted on val: out-of-fold predictions, the budget, and each model by hand arithmetic."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from small_enhancers import FITTED, SPLITS, batch_of, clean_logits, network, settings_of, single
from torch import nn
from torch.nn import functional as F

from selfdoubt.enhancers import batches, correctness, crossfit, image_network, lots, objectives, selection
from selfdoubt.enhancers.methods import asymmetry, deep
from selfdoubt.evaluation.correctness_model import features_of_logits
from selfdoubt.evaluation.log_odds import log_odds
from selfdoubt.evaluation.scores import energy
from selfdoubt.evaluation.softmax import Softmax
from selfdoubt.runtime.errors import UserError

# ---- folds ----


def test_folds_hold_each_row_once_and_differ_between_seeds():
    found = crossfit.random_folds(11, 3, seed=1)
    assert [len(rows) for rows in found] == [4, 4, 3]
    assert sorted(np.concatenate(found)) == list(range(11))
    assert all((np.diff(rows) > 0).all() for rows in found)
    assert [list(rows) for rows in found] == [list(rows) for rows in crossfit.random_folds(11, 3, seed=1)]
    assert [list(rows) for rows in found] != [list(rows) for rows in crossfit.random_folds(11, 3, seed=2)]
    assert sorted([*found[0], *crossfit.others(11, found[0])]) == list(range(11))


def test_too_few_images_are_refused():
    with pytest.raises(UserError, match="n_folds"):
        crossfit.random_folds(5, 3, seed=1)


@pytest.mark.parametrize("method", FITTED)
def test_predictions_of_val_are_out_of_fold(method):
    found = selection.enhance(network(), SPLITS, single(method), seed=5)
    folds = crossfit.random_folds(60, single(method).n_folds, seed=5)
    expected = np.empty(60)
    for k, rows in enumerate(folds):
        expected[rows] = k
    np.testing.assert_array_equal(found.signals["fold"]["val"], expected)
    assert found.signals["fold"]["val"].dtype == np.int16
    assert (found.signals["fold"]["test"] == -1).all()
    labels = SPLITS["val"].labels.copy()
    labels[folds[0]] = (clean_logits("val").argmax(1)[folds[0]] + (labels[folds[0]] % 2)) % 5
    changed = SimpleNamespace(images=SPLITS["val"].images, labels=labels)
    other = selection.enhance(network(), SPLITS | {"val": changed}, single(method), seed=5)
    moved = (other.logits["val"] != found.logits["val"]).any(1)
    assert not moved[folds[0]].any() and moved[folds[1]].any()
    assert (other.logits["test"] != found.logits["test"]).any()  # which all of val decides


# ---- deep ----

DEEP = single("deep", epsilon_255=20)
ON_VAL = [lots.Lot(network(), SPLITS["val"].images, SPLITS["val"].labels)]


def trained(**values):
    return deep.train(ON_VAL, SimpleNamespace(**vars(DEEP) | values), seed=1)


def test_the_network_moves_no_pixel_by_more_than_epsilon_whatever_its_weights():
    made = image_network.build(3, DEEP, seed=1)
    images = torch.rand(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    assert torch.equal(made(images), images)  # before it is trained
    for weight in made.parameters():
        nn.init.constant_(weight, 1e4)
    moved = made(images)
    assert (moved - images).abs().max() <= 20 / 255 + 1e-6
    assert moved.min() >= 0 and moved.max() <= 1 and not torch.equal(moved, images)


def test_the_objective_is_the_sum_of_two_log_losses():
    logits = torch.tensor([[2.0, -1.0, 0.5], [0.0, 3.0, 2.5]])
    p = logits.double().softmax(-1).numpy()
    # The first prediction is 0 and correct, the second is 1 where 2 is true.
    cross_entropy = -(np.log(p[0, 0]) + np.log(p[1, 2])) / 2
    confidence = -(np.log(p[0, 0]) + np.log(1 - p[1, 1])) / 2
    found = objectives.objective(logits, torch.tensor([0, 2]), torch.tensor([0, 1]), 0.5)
    assert found.item() == pytest.approx(cross_entropy + 0.5 * confidence)
    alone = objectives.objective(logits, torch.tensor([0, 2]), torch.tensor([0, 1]), 0)
    assert alone.item() == pytest.approx(F.cross_entropy(logits, torch.tensor([0, 2])).item())


def test_training_lowers_the_objective_on_what_it_is_trained_on():
    made, batch = trained(epochs=40, epsilon_255=100), batch_of("val")
    clean = batch.logits(batch.images)
    before, after = (
        objectives.objective(logits, batch.labels, clean.argmax(1), 1.0)
        for logits in (clean, batch.logits(made(batch.images)))
    )
    assert after < before - 0.05


def test_training_repeats_to_the_last_bit_and_the_seed_decides():
    one, two = trained(), trained()
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))
    other = deep.train(ON_VAL, DEEP, seed=2)
    assert not torch.equal(one.layers[0].weight, other.layers[0].weight)
    assert not any(weight.requires_grad for weight in one.parameters())


def test_the_classifier_learns_nothing():
    model = network().train()
    before = [weight.clone() for weight in model.parameters()]
    selection.enhance(model, SPLITS, DEEP, seed=0)
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))
    assert all(weight.grad is None and weight.requires_grad for weight in model.parameters())
    assert all(module.training for module in model.modules())


def test_a_loss_that_is_not_finite_is_an_error():
    with pytest.raises(UserError, match="learning_rate"):
        trained(learning_rate=1e30, epochs=3)


# ---- asymmetry ----


def test_signals_of_a_linear_model():
    # Logits (2a - b, 0): log-odds are 2a - b = 0.4 at (0.4, 0.4), with the gradient (2, -1). Epsilon 0.3 gains
    # 0.3 * 3 = 0.9. Steps towards class 1 of 0.1 each lower the log-odds by 0.3: to 0.1, then -0.2, then -0.5.
    model = nn.Sequential(nn.Flatten(), nn.Linear(2, 2, bias=False))
    model[1].weight.data = torch.tensor([[2.0, -1.0], [0.0, 0.0]])
    batch = batches.Batch(model, torch.full((1, 1, 1, 2), 0.4))
    found = asymmetry.signals_of(batch, SimpleNamespace(epsilon_255=0.3 * 255, n_steps=3), None)
    columns = {name: values.item() for name, values in found.columns.items()}
    assert columns == pytest.approx(
        {"confidence_gain": 0.9, "confidence_loss": 0.9, "steps_to_flip": 2, "gradient_norm": 5**0.5}, rel=1e-5
    )
    assert found.images.flatten().tolist() == pytest.approx([0.7, 0.1])
    for epsilon, steps in ((0.05, 4), (0.135, 3)):  # never; at the last of three steps
        found = asymmetry.signals_of(batch, SimpleNamespace(epsilon_255=epsilon * 255, n_steps=3), None)
        assert found.columns["steps_to_flip"].item() == steps


def test_signals_are_columns_of_the_predictions():
    found = selection.enhance(network(), SPLITS, single("asymmetry"), seed=0)
    names = {"predicted", "fold", "confidence_gain", "confidence_loss", "steps_to_flip", "gradient_norm"}
    assert set(found.signals) == names
    assert all(found.signals[name][split].shape == (len(SPLITS[split].labels),) for name in names for split in SPLITS)
    assert set(selection.enhance(network(), SPLITS, single("clean-logistic"), seed=0).signals) == {"predicted", "fold"}


def test_candidates_of_one_attack_share_its_signals(monkeypatch):
    calls, real = [], asymmetry.signals_of
    monkeypatch.setattr(asymmetry, "signals_of", lambda *given: calls.append(1) or real(*given))
    selection.choose(network(), SPLITS["val"], settings_of("asymmetry", epsilon_255=8, l2_penalty=[0.1, 1]), seed=0)
    assert len(calls) == 1 + 3  # for the fit, and for each fold's answers


def test_the_logistic_model_is_where_its_loss_is_least():
    draws = np.random.default_rng(0)
    features = draws.normal(2, 3, (80, 3))
    correct = draws.random(80) < 1 / (1 + np.exp(-features[:, 0]))
    made = correctness.Logistic(features, correct, l2_penalty=0.05)
    standard = (features - features.mean(0)) / features.std(0)

    def loss(weights, intercept):
        margins = np.where(correct, 1, -1) * (standard @ weights + intercept)
        return np.log1p(np.exp(-margins)).mean() + 0.05 / 2 * (weights**2).sum()

    weights, intercept = np.zeros(3), 0.0
    for _ in range(20_000):  # plain descent, with slopes by hand
        lack = 1 / (1 + np.exp(-(standard @ weights + intercept))) - correct
        weights -= 0.3 * (standard.T @ lack / 80 + 0.05 * weights)
        intercept -= 0.3 * lack.mean()
    np.testing.assert_allclose(made.log_odds(features), standard @ weights + intercept, atol=1e-4)
    assert loss(weights, intercept) < loss(1.1 * weights, intercept)


@pytest.mark.parametrize(("correct", "word"), [(True, "is correct"), (False, "is incorrect")])
def test_correct_and_incorrect_predictions_are_needed(correct, word):
    with pytest.raises(UserError, match=word):
        correctness.Logistic(np.zeros((4, 1)), np.full(4, correct), l2_penalty=1.0)


def test_confidence_is_written_into_the_logits():
    logits = np.array([[2.0, 1.0, 0.0], [0.0, 1.0, 3.0], [5.0, 4.9, 0.0]])
    wanted = np.array([3.0, -0.2, 0.1])
    found = correctness.with_confidence(logits, wanted)
    assert found.dtype == np.float32
    np.testing.assert_allclose(log_odds(found), wanted, atol=1e-5)
    np.testing.assert_allclose(energy.score(Softmax(found)), 0, atol=1e-6)  # log probabilities
    np.testing.assert_array_equal(found.argmax(1), logits.argmax(1))
    p = np.exp(found) / np.exp(found).sum(1, keepdims=True)
    assert p[0, 1] / p[0, 2] == pytest.approx(np.e, rel=1e-4)  # the others as the clean model has them
    odds = 1 / (1 + np.exp(-0.1))
    np.testing.assert_allclose(p[2], [odds, *((1 - odds) * np.exp([4.9, 0]) / np.exp([4.9, 0]).sum())], rtol=1e-4)


@pytest.mark.parametrize("n_classes", [2, 3, 10, 1000])
def test_confidence_keeps_its_order_below_one_in_k(n_classes):
    logits = np.random.default_rng(0).normal(0, 2, (40, n_classes))
    wanted = np.linspace(-6, 20, 40)
    found = correctness.with_confidence(logits, wanted)
    assert (np.diff(log_odds(found)) > 0).all()
    assert np.isfinite(found).all()
    chance = 1 / (1 + np.exp(-wanted))
    exact = chance >= 1 / n_classes + 0.02
    np.testing.assert_allclose(log_odds(found)[exact], wanted[exact], atol=1e-5)


def test_confidence_beyond_the_largest_float_is_finite():
    logits = np.random.default_rng(0).normal(0, 2, (4, 3))
    found = correctness.with_confidence(logits, np.array([-np.inf, -1e4, 1e4, np.inf]))
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(found.argmax(1), logits.argmax(1))


def test_a_clean_logistic_reads_the_logits_alone():
    features = features_of_logits(np.array([[2.0, 0.0], [0.0, 1.0]], np.float32))
    log_p = [-np.log1p(np.exp(-2)), -2 - np.log1p(np.exp(-2))]
    np.testing.assert_allclose(features[0], [*log_p, 1, 0, 2], rtol=1e-6)
    np.testing.assert_allclose(features[1, 2:], [0, 1, 1], rtol=1e-6)


def test_an_encoder_decoder_may_change_the_image_within_the_same_bound():
    shape = {"architecture": "Unet", "encoder": "tu-regnetx_002", "encoder_depth": 2, "decoder_channels": [16, 8]}
    settings = SimpleNamespace(**vars(DEEP) | {"network": SimpleNamespace(**shape)})
    made, images = image_network.build(1, settings, seed=1).eval(), batch_of().images[..., :7]  # padded
    assert torch.equal(made(images), images)  # before it is trained
    [[trained_]] = deep.fit(network(), SPLITS["val"], [settings], [np.arange(60)], 1)
    [[again]] = deep.fit(network(), SPLITS["val"], [settings], [np.arange(60)], 1)
    assert all(torch.equal(a, b) for a, b in zip(trained_.parameters(), again.parameters(), strict=True))
    moved = trained_(images)
    assert not torch.equal(moved, images) and (moved - images).abs().max() <= 20 / 255 + 1e-6
    assert selection.enhance(network(), SPLITS, settings, seed=0).chosen["network"] == shape


def test_an_encoder_decoder_learns_where_one_image_is_left_and_where_stages_are_unused():
    shape = {"architecture": "Unet", "encoder": "resnet18"}
    for depth in (5, 3):
        shape |= {"encoder_depth": depth, "decoder_channels": [8] * depth}
        settings = SimpleNamespace(**vars(DEEP) | {"network": SimpleNamespace(**shape), "batch_size": 4})
        [[made]] = deep.fit(network(), SPLITS["val"], [settings], [np.arange(9)], 1)  # 4, 4, and 1
        assert not torch.equal(made(batch_of().images), batch_of().images)


def test_images_that_a_network_cannot_take_are_named():
    shape = {"architecture": "Unet", "encoder": "mit_b0", "encoder_depth": 2, "decoder_channels": [8] * 2}
    settings = SimpleNamespace(**vars(DEEP) | {"network": SimpleNamespace(**shape)})
    with pytest.raises(UserError, match="enhancers: the network cannot take 8 x 8 px"):
        deep.train(ON_VAL, settings, 1)
