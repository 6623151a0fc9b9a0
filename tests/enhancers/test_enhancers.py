"""Enhancers keep their budget and the label they promise, and are chosen by AURC on val."""

import json
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from small_enhancers import (
    CHOICES,
    FITTED,
    KEEPING,
    READING,
    SPLITS,
    WITH_GRADIENTS,
    answer,
    batch_of,
    clean_logits,
    network,
    settings_of,
    single,
)
from torch import nn

from selfdoubt.attacks import gradients
from selfdoubt.enhancers import batches, selection
from selfdoubt.evaluation import rankings
from selfdoubt.evaluation.log_odds import log_odds
from selfdoubt.evaluation.softmax import Softmax
from selfdoubt.models import inference
from selfdoubt.runtime import cli, table_files
from selfdoubt.runtime.schemas.enhancements import ENHANCEMENTS_SCHEMA

BOUNDED = [method for method in CHOICES if "epsilon_255" in CHOICES[method]]
TUNED = [method for method in CHOICES if method != "ace"]


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
    found = selection.candidates(settings_of("odin", epsilon_255=[1, 2], temperature=[1, 10]))
    assert [(c.epsilon_255, c.temperature) for c in found] == [(1, 1), (1, 10), (2, 1), (2, 10)]
    found = selection.candidates(settings_of("anti-adversary", epsilon_255=[1, 2], n_steps=3))
    same = {"method": "anti-adversary", "precision": "float32", "n_steps": 3}
    assert list(map(vars, found)) == [{**same, "epsilon_255": e} for e in (1, 2)]


def test_odin_raises_the_margin_of_a_linear_model_by_epsilon_times_its_weights():
    # Logits (2a - b, 0) at (102, 102) / 255 = (0.4, 0.4) are (0.4, 0). A step of 51 / 255 = 0.2 adds
    # 0.2 * (|2| + |-1|) = 0.6, and temperature 4 leaves (0.4 + 0.6) / 4 = 0.25.
    model = nn.Sequential(nn.Flatten(), nn.Linear(2, 2, bias=False))
    model[1].weight.data = torch.tensor([[2.0, -1.0], [0.0, 0.0]])
    batch = batches.Batch(model, inference.as_pixels(np.full((1, 1, 1, 2), 102, np.uint8), torch.device("cpu")))
    found = selection.load("odin").enhance(
        batch, SimpleNamespace(epsilon_255=51, temperature=4, precision="float32"), np.random.default_rng(0)
    )
    assert found.logits[0].tolist() == pytest.approx([0.25, 0])
    assert found.images.flatten().tolist() == pytest.approx([0.6, 0.2])


@pytest.mark.parametrize("method", BOUNDED)
def test_enhanced_images_stay_within_epsilon_and_the_pixel_range(method):
    found = selection.enhance(network(), SPLITS, single(method, epsilon_255=20), seed=0)
    moved = selection.examples(network(), SPLITS["test"], 33, found, seed=0).enhanced
    steps_taken = np.abs(moved - SPLITS["test"].images / 255)
    assert steps_taken.max() <= 20 / 255 + 1e-6
    assert method == "deep" or steps_taken.max() == pytest.approx(20 / 255)
    assert moved.min() >= 0 and moved.max() <= 1


@pytest.mark.parametrize("method", CHOICES)
def test_the_class_that_is_kept_is_that_of_the_clean_image(method):
    large = {"epsilon_255": 120} if "epsilon_255" in CHOICES[method] else {}
    found = selection.enhance(network(), SPLITS, single(method, **large), seed=0)
    assert ("predicted" in found.signals) == (method in KEEPING)
    for name in SPLITS if method in KEEPING else ():
        np.testing.assert_array_equal(found.signals["predicted"][name], clean_logits(name).argmax(1))
        assert found.signals["predicted"][name].dtype == np.int16


@pytest.mark.parametrize("method", CHOICES)
def test_results_do_not_depend_on_the_batch_size_and_repeat(method, monkeypatch):
    whole = selection.enhance(network(), SPLITS, settings_of(method), seed=3)
    monkeypatch.setattr(inference, "LARGEST_BATCH", 7)
    parts = selection.enhance(network(), SPLITS, settings_of(method), seed=3)
    assert whole.chosen == parts.chosen
    assert whole.signals.keys() == parts.signals.keys()
    for name in SPLITS:
        assert whole.logits[name].dtype == np.float32
        np.testing.assert_allclose(whole.logits[name], parts.logits[name], atol=1e-4)
        for column, values in whole.signals.items():
            np.testing.assert_allclose(values[name], parts.signals[column][name], atol=1e-4)


@pytest.mark.parametrize("method", CHOICES)
def test_only_upper_bounds_read_the_labels_of_test(method):
    other = SimpleNamespace(images=SPLITS["test"].images, labels=(SPLITS["test"].labels + 1) % 5)
    one, two = (selection.enhance(network(), SPLITS | {"test": t}, single(method), 0) for t in (SPLITS["test"], other))
    assert np.array_equal(one.logits["val"], two.logits["val"])
    assert np.array_equal(one.logits["test"], two.logits["test"]) == (method not in READING)


def test_random_signs_differ_between_seeds():
    one, two = (selection.enhance(network(), SPLITS, settings_of("random-sign"), seed) for seed in (1, 2))
    assert not np.allclose(one.logits["test"], two.logits["test"], atol=1e-5)


@pytest.mark.parametrize("method", TUNED)
def test_the_best_aurc_on_val_is_chosen(method):
    found = []
    for candidate in selection.candidates(settings_of(method)):
        of_val = selection.choose(network(), SPLITS["val"], candidate, seed=0).val
        softmax = Softmax(of_val.logits, reported=of_val.predicted)
        found.append(rankings.aurc(log_odds(softmax), softmax.reported == SPLITS["val"].labels))
    assert len(set(found)) > 1
    best = selection.candidates(settings_of(method))[found.index(min(found))]
    assert selection.choose(network(), SPLITS["val"], settings_of(method), seed=0).settings == best
    enhanced = selection.enhance(network(), SPLITS, settings_of(method), seed=0)
    assert enhanced.chosen == vars(best) and [tried["aurc"] for tried in enhanced.tried] == found
    assert {*vars(best).items()} > {*enhanced.tried[found.index(min(found))].items()} - {("aurc", min(found))}


def test_a_temperature_may_be_tuned_on_an_ood_set_that_is_then_not_predicted():
    held_out = SimpleNamespace(images=SPLITS["test"].images[::-1].copy(), labels=np.full(33, -1))
    splits = {**SPLITS, "ood-tuning": held_out}
    settings = settings_of("odin", epsilon_255=[0, 2, 60], temperature=[1, 1000], tune_on="ood-tuning")
    found = selection.enhance(network(), splits, settings, seed=0)
    assert [*found.logits] == [*SPLITS]
    rates = []  # of each candidate: outside images above the 57th of 60 confidences of val, as 95 % are 57
    for candidate in selection.candidates(settings):
        val, outside = (
            log_odds(Softmax(each.logits, reported=each.predicted))
            for each in (
                selection.choose(network(), split, candidate, seed=0).val for split in (SPLITS["val"], held_out)
            )
        )
        rates.append((outside >= np.sort(val)[::-1][56]).mean())
    assert len(set(rates)) > 1
    best = selection.candidates(settings)[int(np.argmin(rates))]
    assert (found.chosen["epsilon_255"], found.chosen["temperature"]) == (best.epsilon_255, best.temperature)
    by_val = selection.enhance(network(), SPLITS, settings_of("odin", epsilon_255=[0, 2, 60]), seed=0)
    assert "tune_on" not in by_val.chosen


def test_odin_at_a_fixed_temperature_is_the_softmax_at_it():
    # The authors' T = 1000 without a step: p = softmax(z / 1000) of the clean logits.
    found = selection.enhance(network(), SPLITS, single("odin", epsilon_255=0, temperature=1000), seed=0)
    np.testing.assert_allclose(found.logits["test"], clean_logits() / 1000, atol=1e-7)
    assert found.chosen["temperature"] == 1000


def test_the_first_of_equals_is_chosen(monkeypatch):
    monkeypatch.setattr(rankings, "aurc", lambda confidence, correct: 0.5)
    chosen = selection.choose(network(), SPLITS["val"], settings_of("odin"), seed=0).settings
    assert (chosen.epsilon_255, chosen.temperature) == (2, 1)


COSTS = {  # forwards and backwards of one image
    "odin": (2, 1),
    "doctor": (2, 1),
    "anti-adversary": (3 + 2, 3),  # the clean class, a gradient for each step, the enhanced image
    "hedge": (3 + 1, 3),
    "random-sign": (2, 0),
    "tta": (3, 0),
    "deep": (1, 0),
    "asymmetry": (2 + 3, 2 + 1),
    "clean-logistic": (1, 0),
    "views": (3, 0),
    "view-logistic": (3, 0),
    "transform-attack": (3, 1),
    "radius": (2 + 1, 2),
    "confidence-head": (1, 0),
    "feature-head": (1, 0),
    "deep-spatial": (2, 0),
}


@pytest.mark.parametrize("method", COSTS)
def test_costs_are_what_is_computed(method):
    found = selection.enhance(network(), SPLITS, single(method), seed=0)
    assert found.costs == dict(zip(("forwards", "backwards"), COSTS[method], strict=True))


def test_random_transformations_cost_no_gradient_and_a_line_two_forwards():
    for method, values, passes in (
        ("transform-attack", {"direction": "random"}, (3, 0)),
        ("transform-attack", {"space": "flow", "grid_size": 3}, (3, 1)),
        ("radius", {"n_steps": 1}, (2, 1)),
    ):
        found = selection.enhance(network(), SPLITS, single(method, **values), seed=0)
        assert (found.costs["forwards"], found.costs["backwards"]) == passes


def test_passes_are_counted_as_they_are_made():
    model = Counted()
    with batches.counted(model) as passes:
        selection.enhance(model, SPLITS, single("ace"), seed=0)
    assert passes == {"forwards": model.forwards, "backwards": model.backwards}
    model(torch.zeros(1, 1, 8, 8))
    assert passes["forwards"] == model.forwards - 1  # nothing is counted after


@pytest.mark.parametrize("method", WITH_GRADIENTS)
def test_gradients_may_be_bfloat16_while_predictions_are_float32(method):
    model, seen = network(), []
    model[0].register_forward_hook(lambda module, inputs, output: seen.append(output.dtype))
    found = selection.enhance(model, SPLITS, single(method, precision="bfloat16"), seed=0)
    assert seen.count(torch.bfloat16) == found.costs["backwards"] * len(SPLITS)  # one batch each
    assert found.logits["test"].dtype == np.float32
    assert found.chosen["precision"] == "bfloat16"
    if "predicted" in found.signals:
        assert (found.signals["predicted"]["test"] == clean_logits().argmax(1)).all()


def test_candidates_of_one_temperature_share_a_gradient():
    model = Counted()
    selection.choose(model, SPLITS["val"], settings_of("odin"), seed=0)
    assert model.backwards == 2 * 60  # temperatures
    assert model.forwards == (2 + 4) * 60  # one with each gradient, one for each candidate


def test_a_model_is_left_as_it_was():
    model = network().train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    selection.enhance(model, SPLITS, settings_of("anti-adversary"), seed=0)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert all(weight.grad is None and weight.requires_grad for weight in model.parameters())
    assert all(module.training for module in model.modules())


@pytest.mark.parametrize("method", [method for method in CHOICES if method not in ("tta", "views", "radius", *FITTED)])
def test_examples_show_the_images_behind_the_predictions(method):
    found = selection.enhance(network(), SPLITS, settings_of(method), seed=4)
    shown = selection.examples(network(), SPLITS["test"], 6, found, seed=4)
    np.testing.assert_array_equal(shown.clean, SPLITS["test"].images[:6])
    with torch.no_grad():
        logits = network()(torch.from_numpy(shown.enhanced)).numpy() / found.chosen.get("temperature", 1)
    np.testing.assert_allclose(logits, found.logits["test"][:6], atol=1e-5)
    chances = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    reported = found.signals["predicted"]["test"][:6] if method in KEEPING else chances.argmax(1)
    np.testing.assert_allclose(shown.enhanced_confidence, chances[np.arange(6), reported], atol=1e-5)


# ---- single methods ----


def test_random_signs_at_a_temperature_are_the_same_logits_divided():
    cold, warm = (answer("random-sign", epsilon_255=8, temperature=t).logits for t in (1, 4))
    torch.testing.assert_close(warm, cold / 4)


def test_examples_of_large_images_come_in_several_batches(monkeypatch):
    found = selection.enhance(network(), SPLITS, settings_of("random-sign"), seed=4)
    whole = selection.examples(network(), SPLITS["test"], 9, found, seed=4)
    monkeypatch.setattr(inference, "LARGEST_BATCH", 4)
    for one, other in zip(whole, selection.examples(network(), SPLITS["test"], 9, found, seed=4), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_doctor_steps_up_d_alpha_of_a_linear_model():
    # p_0 above p_1 of two classes: D_alpha rises as the logit 2a - b falls, so a falls and b rises, here by 0.2.
    model = nn.Sequential(nn.Flatten(), nn.Linear(2, 2, bias=False))
    model[1].weight.data = torch.tensor([[2.0, -1.0], [0.0, 0.0]])
    batch = batches.Batch(model, torch.full((1, 1, 1, 2), 0.4))
    settings = SimpleNamespace(epsilon_255=51, temperature=4, precision="float32")
    found = selection.load("doctor").enhance(batch, settings, np.random.default_rng(0))
    assert found.images.flatten().tolist() == pytest.approx([0.2, 0.6])
    assert found.logits[0].tolist() == pytest.approx([(0.4 - 0.6) / 4, 0])


def linear_batch(pixels: tuple[float, float]) -> batches.Batch:
    """One image of two pixels a, b and a model of logits (2a - b, 0)."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(2, 2, bias=False))
    model[1].weight.data = torch.tensor([[2.0, -1.0], [0.0, 0.0]])
    return batches.Batch(model, torch.tensor(pixels).reshape(1, 1, 1, 2))


def test_the_anti_adversary_of_its_authors_takes_two_steps_that_nothing_bounds():
    # gamma -= .15 sign(grad CE(f(x + gamma), label 0)), twice: +.3 on a and -.3 on b, which leaves [0, 1].
    settings = SimpleNamespace(n_steps=2, step_255=0.15 * 255, precision="float32")
    found = selection.load("anti-adversary").enhance(linear_batch((0.9, 0.2)), settings, None)
    assert found.images.flatten().tolist() == pytest.approx([1.2, -0.1])
    assert found.logits[0].tolist() == pytest.approx([2 * 1.2 + 0.1, 0]) and found.predicted is None


def test_hedge_of_its_authors_starts_at_random_and_stays_within_epsilon():
    # The summed cross-entropy is 2 log(1 + e^z) - z of z = 2a - b, which rises with |z|: here z > 0, so a up, b down.
    # From anywhere within 8 / 255 of (.5, .2), steps of 4 / 255 reach the edge of the ball within four.
    values = {"epsilon_255": 8, "step_255": 4, "random_start": True, "precision": "float32"}
    hedge = selection.load("hedge").enhance
    for seed in range(3):
        found = hedge(linear_batch((0.5, 0.2)), SimpleNamespace(n_steps=20, **values), np.random.default_rng(seed))
        assert found.images.flatten().tolist() == pytest.approx([0.5 + 8 / 255, 0.2 - 8 / 255])
    draws = np.random.default_rng(5).random((1, 1, 1, 2), dtype=np.float32).ravel()
    start = np.array([0.5, 0.2]) + 8 / 255 * (2 * draws - 1)  # uniform in the ball
    expected = np.clip(start + np.array([4, -4]) / 255, [0.5 - 8 / 255, 0.2 - 8 / 255], [0.5 + 8 / 255, 0.2 + 8 / 255])
    found = hedge(linear_batch((0.5, 0.2)), SimpleNamespace(n_steps=1, **values), np.random.default_rng(5))
    assert found.images.flatten().tolist() == pytest.approx(expected)


def test_hedge_raises_the_loss_of_all_classes():
    def loss(logits):
        return torch.stack([nn.functional.cross_entropy(logits, torch.full((len(logits),), k)) for k in range(5)]).sum()

    assert loss(answer("hedge", epsilon_255=2, n_steps=2, random_start=False).logits) > loss(
        torch.from_numpy(clean_logits())
    )


def test_tta_is_the_mean_of_probabilities_of_shifted_and_flipped_images():
    settings = SimpleNamespace(n_views=4, shift_px=2, flip=True)
    found = answer("tta", generator=np.random.default_rng(7), **vars(settings))
    draws, images = np.random.default_rng(7).random((33, 3, 3)), SPLITS["test"].images
    mean = np.zeros((33, 5))
    for view in range(-1, 3):
        seen = images.copy()
        for i in range(33 if view >= 0 else 0):
            (down, right), padded = (draws[i, view, :2] * 5).astype(int), np.pad(images[i], [(0, 0), (2, 2), (2, 2)])
            seen[i] = padded[:, down : down + 8, right : right + 8]
            seen[i] = seen[i, :, :, ::-1] if draws[i, view, 2] < 0.5 else seen[i]
        logits = inference.predict_logits(network(), seen).astype(np.float64)
        mean += np.exp(logits) / np.exp(logits).sum(1, keepdims=True) / 4
    np.testing.assert_allclose(found.logits.exp().numpy(), mean, atol=1e-5)


@pytest.mark.parametrize("method", ["odin", "anti-adversary"])
def test_steps_raise_confidence_even_where_the_probability_rounds_to_1(method):
    model = network()
    model[3].weight.data *= 600
    model[3].bias.data *= 600
    settings = {"odin": {"temperature": 1}, "anti-adversary": {"n_steps": 1}}[method]
    clean = model(batch_of().images)
    saturated = clean.softmax(-1).amax(1) == 1
    assert saturated.sum() > 5
    moved = answer(method, model=model, epsilon_255=0.01, **settings).logits
    confidence = gradients.log_odds(clean.argmax(1))
    assert (confidence(moved) > confidence(clean))[saturated].all()


@pytest.mark.parametrize("method", READING)
@pytest.mark.parametrize("is_ood", [False, True])
def test_confidence_moves_by_whether_the_prediction_is_correct(method, is_ood):
    batch, clean = batch_of(), clean_logits()
    if is_ood:
        batch.labels = torch.full_like(batch.labels, -1)
    correct = clean.argmax(1) == batch.labels.numpy()
    assert is_ood or 0 < correct.sum() < len(correct)
    settings = SimpleNamespace(epsilon_255=4, n_halvings=8, precision="float32")
    found = selection.load(method).enhance(batch, settings, None)
    raised = log_odds(found.logits.numpy()) > log_odds(clean)
    assert (raised == (correct if method == "oracle" else ~correct)).all()
    assert (found.logits.argmax(1) == found.predicted).all()


def test_a_step_is_halved_until_the_label_stays_and_else_not_taken():
    # Logits (a - 0.5, 0) of one pixel at 0.6: the label is 0 as long as a > 0.5. The step down of 0.3 is too long, its
    # half too, a quarter (0.075) is not.
    model = nn.Sequential(nn.Flatten(), nn.Linear(1, 2))
    model[1].weight.data, model[1].bias.data = torch.tensor([[1.0], [0.0]]), torch.tensor([-0.5, 0.0])
    batch = batches.Batch(model, torch.full((1, 1, 1, 1), 0.6), torch.tensor([0]))
    for n_halvings, pixel in ((2, 0.6 - 0.075), (1, 0.6)):
        settings = SimpleNamespace(epsilon_255=0.3 * 255, n_halvings=n_halvings, precision="float32")
        assert selection.load("ace").enhance(batch, settings, None).images.item() == pytest.approx(pixel)


# ---- the table of what was chosen ----


def test_what_was_chosen_is_collected_in_the_order_of_the_settings(tmp_path, monkeypatch):
    paths, table = [tmp_path / f"{seed}.parquet" for seed in (1, 2)], tmp_path / "table.parquet"
    for path, epsilon in zip(paths, (2.0, 20.0), strict=True):
        metadata = {"chosen": {"method": "odin", "epsilon_255": epsilon}}
        metadata |= {"tried": [], "costs_per_image": {"forwards": 2.0, "backwards": 1.0}}
        table_files.write_rows(path, [], table_files.predictions_schema(5), metadata)
    (tmp_path / "list").write_text("\n".join(map(str, paths)))
    settings = {"arms": [{"dataset": "toys", "name": "ce", "variant": "odin", "replicates": [1, 2]}]}
    monkeypatch.setattr(cli, "_die_with_parent", lambda: None)  # it would tie the tests to their shell
    given = [f"--predictions=@{tmp_path / 'list'}", f"--output={table}", f"--settings={json.dumps(settings)}"]
    monkeypatch.setattr(sys, "argv", ["collect_enhancements", *given])
    runpy.run_path(str(Path(cli.__file__).parents[2] / "collect_enhancements.py"), run_name="__main__")
    rows = table_files.read_table(table, ENHANCEMENTS_SCHEMA).to_pylist()
    assert [(row["replicate"], json.loads(row["chosen"])["epsilon_255"]) for row in rows] == [(1, 2.0), (2, 20.0)]
    assert rows[0].items() >= {"dataset": "toys", "name": "ce", "variant": "odin", "forwards": 2.0}.items()
