"""Enhancers keep their budget and the label they promise, and are chosen by AURC on val."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from selfdoubt import attacks, enhancers, inference, rankings, scores

CHOICES = {
    "odin": {"epsilon_255": [2, 20], "temperature": [1, 10]},
    "anti-adversary": {"epsilon_255": [2, 20], "n_steps": 3},
    "random-sign": {"epsilon_255": [2, 20]},
}


def settings_of(method: str, **values) -> SimpleNamespace:
    defaults = {} if method == "random-sign" else {"precision": "float32"}
    return SimpleNamespace(method=method, models=["ce", "kd"], **defaults | (values or CHOICES[method]))


def network() -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layers = [nn.Conv2d(1, 4, 3), nn.GELU(), nn.Flatten(), nn.Linear(144, 5)]
        return nn.Sequential(*layers).eval()


def split_of(n: int, seed: int) -> SimpleNamespace:
    draws = np.random.default_rng(seed)
    return SimpleNamespace(images=draws.integers(0, 256, (n, 1, 8, 8), np.uint8), labels=draws.integers(0, 5, n))


SPLITS = {"val": split_of(60, 1), "test": split_of(33, 2)}


def answer(method: str, model=None, generator=None, **values) -> enhancers.Answer:
    batch = enhancers.Batch(model or network(), inference.as_pixels(SPLITS["test"].images, torch.device("cpu")))
    generator = generator or np.random.default_rng(0)
    return enhancers.ENHANCERS[method](batch, SimpleNamespace(precision="float32", **values), generator)


def clean_logits(name: str = "test") -> np.ndarray:
    return inference.predict_logits(network(), SPLITS[name].images)


class Counted(nn.Module):
    """Counts the images that pass forwards, and those whose gradient comes back."""

    def __init__(self):
        super().__init__()
        self.inner, self.forwards, self.backwards = network(), 0, 0

    def forward(self, images):
        self.forwards += len(images)
        if images.requires_grad:
            images.register_hook(self.count_backwards)
        return self.inner(images)

    def count_backwards(self, gradient):
        self.backwards += len(gradient)


def test_candidates_are_all_combinations_in_the_order_of_the_lists():
    found = enhancers.candidates(settings_of("odin", epsilon_255=[1, 2], temperature=[1, 10]))
    assert [(c.epsilon_255, c.temperature) for c in found] == [(1, 1), (1, 10), (2, 1), (2, 10)]
    found = enhancers.candidates(settings_of("anti-adversary", epsilon_255=[1, 2], n_steps=3))
    same = {"method": "anti-adversary", "precision": "float32", "n_steps": 3}
    assert list(map(vars, found)) == [{**same, "epsilon_255": e} for e in (1, 2)]


def test_odin_without_a_step_at_temperature_1_is_the_clean_model():
    np.testing.assert_array_equal(answer("odin", epsilon_255=0, temperature=1).logits.numpy(), clean_logits())


def test_odin_raises_the_margin_of_a_linear_model_by_epsilon_times_its_weights():
    # Logits (2a - b, 0) at (102, 102) / 255 = (0.4, 0.4) are (0.4, 0). A step of 51 / 255 = 0.2 adds
    # 0.2 * (|2| + |-1|) = 0.6, and temperature 4 leaves (0.4 + 0.6) / 4 = 0.25.
    model = nn.Sequential(nn.Flatten(), nn.Linear(2, 2, bias=False))
    model[1].weight.data = torch.tensor([[2.0, -1.0], [0.0, 0.0]])
    batch = enhancers.Batch(model, inference.as_pixels(np.full((1, 1, 1, 2), 102, np.uint8), torch.device("cpu")))
    found = enhancers.odin(
        batch, SimpleNamespace(epsilon_255=51, temperature=4, precision="float32"), np.random.default_rng(0)
    )
    assert found.logits[0].tolist() == pytest.approx([0.25, 0])
    assert found.images.flatten().tolist() == pytest.approx([0.6, 0.2])


def test_a_step_towards_the_prediction_makes_the_model_surer_of_it():
    predicted = torch.from_numpy(clean_logits().argmax(1))
    surer = attacks.log_probability(predicted)
    before = surer(torch.from_numpy(clean_logits()))
    assert (surer(answer("odin", epsilon_255=2, temperature=1).logits) > before).all()
    assert (surer(answer("anti-adversary", epsilon_255=2, n_steps=2).logits) > before).all()


@pytest.mark.parametrize("method", CHOICES)
def test_enhanced_images_stay_within_epsilon_and_the_pixel_range(method):
    moved = answer(method, epsilon_255=20, temperature=1, n_steps=3).images
    clean = torch.from_numpy(SPLITS["test"].images) / 255
    assert (moved - clean).abs().max() == pytest.approx(20 / 255)
    assert moved.min() >= 0 and moved.max() <= 1


@pytest.mark.parametrize("method", ["odin", "random-sign"])
def test_the_label_kept_is_that_of_the_clean_image(method):
    found = enhancers.enhance(network(), SPLITS, settings_of(method, epsilon_255=120, temperature=1), seed=0)
    for name in SPLITS:
        np.testing.assert_array_equal(found.predicted[name], clean_logits(name).argmax(1))
        assert found.predicted[name].dtype == np.int16
    moved = found.logits["test"].argmax(1) != found.predicted["test"]
    assert moved.any() == (method == "random-sign")  # so large a random step changes answers, and yet no label


def test_the_anti_adversary_answers_anew():
    assert enhancers.enhance(network(), SPLITS, settings_of("anti-adversary"), seed=0).predicted is None


@pytest.mark.parametrize("method", CHOICES)
def test_results_do_not_depend_on_the_batch_size_and_repeat(method, monkeypatch):
    whole = enhancers.enhance(network(), SPLITS, settings_of(method), seed=3)
    monkeypatch.setattr(inference, "LARGEST_BATCH", 7)
    parts = enhancers.enhance(network(), SPLITS, settings_of(method), seed=3)
    assert whole.chosen == parts.chosen
    for name in SPLITS:
        assert whole.logits[name].dtype == np.float32
        np.testing.assert_allclose(whole.logits[name], parts.logits[name], atol=1e-5)


def test_random_signs_differ_between_seeds():
    one, two = (enhancers.enhance(network(), SPLITS, settings_of("random-sign"), seed) for seed in (1, 2))
    assert not np.allclose(one.logits["test"], two.logits["test"], atol=1e-5)


@pytest.mark.parametrize("method", CHOICES)
def test_the_best_aurc_on_val_is_chosen(method):
    found = []
    for candidate in enhancers.candidates(settings_of(method)):
        values = {name: value for name, value in vars(candidate).items() if name != "method"}
        single = enhancers.enhance(network(), SPLITS, settings_of(method, **values), seed=0)
        reported = single.logits["val"].argmax(1) if single.predicted is None else single.predicted["val"]
        found.append(rankings.aurc(scores.msp(single.logits["val"]), reported == SPLITS["val"].labels))
    assert len(set(found)) > 1
    best = enhancers.candidates(settings_of(method))[found.index(min(found))]
    assert enhancers.choose(network(), SPLITS["val"], settings_of(method), seed=0) == best


def test_the_first_of_equals_is_chosen(monkeypatch):
    monkeypatch.setattr(rankings, "aurc", lambda confidence, correct: 0.5)
    chosen = enhancers.choose(network(), SPLITS["val"], settings_of("odin"), seed=0)
    assert (chosen.epsilon_255, chosen.temperature) == (2, 1)


@pytest.mark.parametrize("method", CHOICES)
def test_costs_are_what_is_computed(method):
    model = Counted()
    values = {name: (v[0] if isinstance(v, list) else v) for name, v in CHOICES[method].items()}
    found = enhancers.enhance(model, SPLITS, settings_of(method, **values), seed=0)
    n_images = sum(len(split.images) for split in SPLITS.values())
    assert found.costs == {"forwards": model.forwards / n_images, "backwards": model.backwards / n_images}


@pytest.mark.parametrize("method", ["odin", "anti-adversary"])
def test_at_bfloat16_labels_and_logits_are_float32_all_the_same(method, monkeypatch):
    model, seen = Counted(), []
    model.inner[0].register_forward_hook(lambda module, inputs, output: seen.append(output.dtype))
    values = {name: (v[0] if isinstance(v, list) else v) for name, v in CHOICES[method].items()}
    found = enhancers.enhance(model, SPLITS, settings_of(method, **values | {"precision": "bfloat16"}), seed=0)
    n_images, n_passes = sum(len(split.images) for split in SPLITS.values()), len(seen) // len(SPLITS)
    assert found.costs == {"forwards": model.forwards / n_images, "backwards": model.backwards / n_images}
    n_gradients = found.costs["backwards"]
    assert seen.count(torch.bfloat16) == n_gradients * len(SPLITS)
    assert seen.count(torch.float32) == (n_passes - n_gradients) * len(SPLITS)
    assert found.logits["test"].dtype == np.float32
    assert found.chosen["precision"] == "bfloat16"
    if found.predicted:
        assert (found.predicted["test"] == clean_logits().argmax(1)).all()


def test_candidates_of_one_temperature_share_a_gradient():
    model = Counted()
    enhancers.choose(model, SPLITS["val"], settings_of("odin"), seed=0)
    assert model.backwards == 2 * 60  # temperatures
    assert model.forwards == (2 + 4) * 60  # one with each gradient, one for each candidate


def test_a_model_is_left_as_it_was():
    model = network().train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    enhancers.enhance(model, SPLITS, settings_of("anti-adversary"), seed=0)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert all(weight.grad is None and weight.requires_grad for weight in model.parameters())
    assert all(module.training for module in model.modules())


@pytest.mark.parametrize("method", CHOICES)
def test_examples_show_the_images_behind_the_predictions(method):
    found = enhancers.enhance(network(), SPLITS, settings_of(method), seed=4)
    shown = enhancers.examples(network(), SPLITS["test"], 6, found.chosen, seed=4)
    np.testing.assert_array_equal(shown.clean, SPLITS["test"].images[:6])
    with torch.no_grad():
        logits = network()(torch.from_numpy(shown.enhanced)).numpy() / found.chosen.get("temperature", 1)
    np.testing.assert_allclose(logits, found.logits["test"][:6], atol=1e-5)
    chances = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(shown.enhanced_confidence, chances.max(1), atol=1e-5)
