"""Enhancers of attacked images, and networks that are trained against the attack."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from small_enhancers import SPLITS, batch_of, clean_logits, network, settings_of, single

from selfdoubt.enhancers import batches, objectives, selection

ATTACK = SimpleNamespace(method="ace", epsilon_255=8, n_halvings=14, precision="float32")


def attacked_images(name: str = "test") -> np.ndarray:
    return batches.attacked(batch_of(name), ATTACK).images.numpy()


@pytest.mark.parametrize("method", ["views", "anti-adversary", "clean-logistic"])
def test_every_split_but_val_is_attacked_before_it_is_enhanced(method):
    clean = selection.enhance(network(), SPLITS, settings_of(method), seed=3)
    found = selection.enhance(network(), SPLITS, settings_of(method, attacked_by=ATTACK), seed=3)
    assert np.array_equal(found.logits["val"], clean.logits["val"])
    assert found.chosen == clean.chosen | {"attacked_by": vars(ATTACK)}
    assert found.costs == clean.costs  # those of the attack are the attacker's
    batch = batches.Batch(network(), torch.from_numpy(attacked_images()))
    expected = found.apply(batch, generator=selection._generator(3, method, "test")())
    np.testing.assert_allclose(found.logits["test"], expected.logits.detach().numpy(), atol=1e-5)
    assert not np.allclose(found.logits["test"], clean.logits["test"], atol=1e-3)


def test_examples_of_attacked_images_are_shown_beside_the_clean_ones():
    found = selection.enhance(network(), SPLITS, single("clean-logistic", attacked_by=ATTACK), seed=3)
    shown = selection.examples(network(), SPLITS["test"], 6, found, seed=3)
    assert np.array_equal(shown.clean, SPLITS["test"].images[:6])
    np.testing.assert_allclose(shown.enhanced, attacked_images()[:6], atol=1e-6)
    p = np.exp(clean_logits()) / np.exp(clean_logits()).sum(1, keepdims=True)
    np.testing.assert_allclose(shown.clean_confidence, p.max(1)[:6], atol=1e-5)


def test_the_loss_of_pairs_by_hand():
    # Correct: log-odds 2 and 0; incorrect: 1. Softplus of 1 - 2 and of 1 - 0.
    confidence, correct = torch.tensor([2.0, 1.0, 0.0]), torch.tensor([True, False, True])
    expected = (np.log1p(np.exp(-1)) + np.log1p(np.exp(1))) / 2
    assert objectives.ranking(confidence, correct).item() == pytest.approx(expected)
    assert objectives.ranking(confidence, torch.ones(3, dtype=bool)) == 0
    # Two classes: log-odds are differences of logits.
    logits = torch.stack([confidence, torch.zeros(3)], 1)
    labels, predicted = torch.tensor([0, 1, 0]), torch.zeros(3, dtype=int)
    cross_entropy = objectives.objective(logits, labels, predicted).item()
    found = objectives.objective(logits, labels, predicted, ranking_weight=0.5).item()
    assert found == pytest.approx(cross_entropy + 0.5 * expected)


@pytest.mark.parametrize("method", ["deep", "deep-spatial"])
def test_training_against_an_attack_lowers_the_loss_of_attacked_images(method):
    strong = {"epsilon_255": 40} if method == "deep" else {"size": 2}
    settings = single(method, **strong, ranking_weight=4.0, epochs=60, learning_rate=0.01)
    attack = SimpleNamespace(**vars(ATTACK) | {"epsilon_255": 60})
    against = SimpleNamespace(**vars(settings), trained_against=attack)
    loss, weights = [], [getattr(settings, "confidence_weight", 0), 4.0]
    batch = batches.attacked(batch_of("val"), attack)
    for each in (settings, against):
        [[made]] = selection.load(method).fit(network(), SPLITS["val"], [each], [np.arange(60)], 1)
        logits = batch.logits(made(batch.images))
        loss.append(objectives.objective(logits, batch.labels, batch.predicted, *weights).item())
    assert loss[1] < loss[0]
    chosen = selection.enhance(network(), SPLITS, single(method, trained_against=ATTACK), seed=0).chosen
    assert chosen["trained_against"] == vars(ATTACK)


def test_a_spatial_network_is_the_identity_before_training_and_moves_no_more_than_its_sizes():
    module = selection.load("deep-spatial")
    settings = single("deep-spatial", size=2)
    made = module.SpatialNetwork(1, 4, module.sizes_of(settings))
    batch = batch_of()
    torch.testing.assert_close(made(batch.images), batch.images)
    # Two shifts of 2 x 1 px, 2 x 10 degrees, a factor of 1 + 2 x 10 %, 2 x 10 % of shear.
    assert made.sizes.tolist() == pytest.approx([2, 2, np.radians(20), np.log(1.2), 0.2])
    for weight in made.parameters():
        torch.nn.init.constant_(weight, 1e3)
    assert (made.theta(batch.images).abs() <= made.sizes).all()


def test_the_spatial_network_looks_at_each_image_once():
    found = selection.enhance(network(), SPLITS, single("deep-spatial"), seed=0)
    with batches.counted(found.apply.keywords["fitted"].last) as passes:
        found.apply(batch_of(), generator=None)
    assert passes["forwards"] == 33


def test_a_size_of_0_is_the_clean_model():
    found = selection.enhance(network(), SPLITS, single("deep-spatial", size=0), seed=0)
    np.testing.assert_allclose(found.logits["test"], clean_logits(), atol=1e-4)
    assert (found.signals["rotation"]["test"] == 0).all()
