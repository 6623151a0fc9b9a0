"""Models that disagree about an image perturb it in turn; where they agree it stays as it is."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.special import softmax
from small_groups import SPLITS, network
from torch import nn

from selfdoubt.attacks import gradients
from selfdoubt.communication import decisions
from selfdoubt.communication.protocols import dialogue
from selfdoubt.models import inference


def alike(seed: int) -> nn.Module:
    """One network, a little moved, so that models agree about some images."""
    model, other = network(1), network(seed)
    with torch.no_grad():
        for weight, noise in zip(model.parameters(), other.parameters(), strict=True):
            weight += 0.4 * noise
    return model


MODELS = {"one": alike(2), "two": alike(3), "three": alike(4)}
CLEAN = {name: inference.predict_logits(model, SPLITS["test"].images) for name, model in MODELS.items()}
PROBABILITIES = np.array([softmax(logits.astype(float), 1) for logits in CLEAN.values()])  # (L, n, K)
LABELS = PROBABILITIES.argmax(2)
APART = LABELS.min(0) != LABELS.max(0)
NAMES = [*MODELS]


def settings_of(**values) -> SimpleNamespace:
    defaults = {"message": "gradient", "epsilon_255": 24, "n_rounds": 3, "precision": "float32"}
    return SimpleNamespace(**defaults | values)


def converse(models=MODELS, **values) -> dialogue.Dialogue:
    clean = {name: CLEAN[name] for name in models}
    return dialogue.converse(models, SPLITS["test"], clean, settings_of(**values), (0, "test"))


def naive(row: int, n_rounds: int, epsilon: float) -> tuple[np.ndarray, int, np.ndarray]:
    """Mean probability, rounds and last probabilities of one image, step by step as in the docstring."""
    clean = inference.as_pixels(SPLITS["test"].images[row : row + 1], torch.device("cpu"))
    moved, answers, done = clean, [*PROBABILITIES[:, row]], 0
    while done < n_rounds and len({int(answer.argmax()) for answer in answers[-3:]}) > 1:
        for sender in np.roll(NAMES, -done):
            gradient, _ = gradients.input_gradient(MODELS[sender], moved, gradients.top_log_odds())
            moved = moved + epsilon / n_rounds * gradient.sign()
            moved = torch.min(torch.max(moved, clean - epsilon), clean + epsilon).clamp(0, 1)
        with torch.no_grad():
            answers += [MODELS[name](moved)[0].double().softmax(-1).numpy() for name in NAMES]
        done += 1
    return np.mean(answers, axis=0), done, np.array(answers[-3:])


def test_a_dialogue_follows_its_definition():
    found = converse()
    assert 0 < APART.sum() < 33
    expected = [naive(row, 3, 24 / 255) for row in range(33)]
    np.testing.assert_array_equal(found.n_rounds, [n for _, n, _ in expected])
    np.testing.assert_allclose(np.exp(found.log_mean), [p for p, _, _ in expected], atol=1e-5)
    assert len({*found.n_rounds[APART]}) > 1  # some agree sooner


def test_what_members_gained_is_kept_of_the_images_on_which_they_disagreed():
    splits = {"val": SPLITS["test"], "test": SPLITS["test"]}
    kept = decisions.decide(MODELS, splits, settings_of(method="dialogue"), 0).kept["test"]
    np.testing.assert_array_equal(kept.rows, np.flatnonzero(APART))
    first = kept.rows[0]
    pair = PROBABILITIES[:, first].mean(0).argsort()[:-3:-1]
    np.testing.assert_array_equal(kept.candidates[0], pair)
    last = naive(first, 3, 24 / 255)[2]
    expected = np.log(last[:, pair]) - np.log(PROBABILITIES[:, first][:, pair])
    np.testing.assert_allclose(kept.gains[0], expected.T, atol=1e-4)
    assert np.isfinite(kept.gains).all()


@pytest.mark.parametrize("message", ["gradient", "random-sign"])
def test_the_mean_probability_stands_where_models_agree(message):
    found = converse(message=message)
    np.testing.assert_array_equal(found.n_rounds > 0, APART)
    mean = PROBABILITIES.mean(0)
    np.testing.assert_allclose(np.exp(found.log_mean)[~APART], mean[~APART], rtol=1e-6)
    assert (np.abs(np.exp(found.log_mean) - mean)[APART].max(1) > 1e-6).all()
    np.testing.assert_allclose(np.exp(found.log_mean).sum(1), 1)


@pytest.mark.parametrize("message", ["gradient", "random-sign"])
def test_images_stay_within_the_shared_budget(message, monkeypatch):
    clean, seen = inference.as_pixels(SPLITS["test"].images, torch.device("cpu")), []
    project = gradients.project

    def look(moved, images, epsilon):
        found = project(moved, images, epsilon)
        apart = (found[:, None] - clean[None]).abs().flatten(2).amax(2)  # of every image from every clean one
        seen.append(apart.amin(1).max().item())
        return found

    monkeypatch.setattr(dialogue.gradients, "project", look)
    converse(message=message)
    assert max(seen) <= 24 / 255 + 1e-6
    assert seen[0] == pytest.approx(8 / 255) and max(seen) > 16 / 255  # steps of three rounds, which add up


@pytest.mark.parametrize("message", ["gradient", "random-sign"])
def test_results_do_not_depend_on_the_batch_size(message, monkeypatch):
    whole = converse(message=message)
    monkeypatch.setattr(inference, "LARGEST_BATCH", 3)
    parts = converse(message=message)
    np.testing.assert_array_equal(parts.n_rounds, whole.n_rounds)
    np.testing.assert_allclose(parts.log_mean, whole.log_mean, atol=1e-4)


def test_the_first_model_changes_from_round_to_round(monkeypatch):
    senders = []

    def send(model, images, objective, precision):
        senders.append(next(name for name, each in MODELS.items() if each is model))
        return torch.zeros_like(images), None  # so that no prediction changes

    monkeypatch.setattr(dialogue.gradients, "input_gradient", send)
    converse()
    assert senders == ["one", "two", "three", "two", "three", "one", "three", "one", "two"]


def test_random_steps_differ_between_rounds_and_are_those_of_the_seed():
    found = [converse(message="random-sign").log_mean, converse(message="random-sign").log_mean]
    np.testing.assert_array_equal(*found)
    other = dialogue.converse(MODELS, SPLITS["test"], CLEAN, settings_of(message="random-sign"), (1, "test"))
    assert np.abs(other.log_mean - found[0]).max() > 1e-6
    generators = dialogue._Generators(0, "test")
    draws = [generators[turn, sender].random() for turn in range(2) for sender in range(3)]
    assert len({*draws}) == 6 and generators[0, 0].random() not in draws
