"""Groups decide by the mean probability, and by persuasion only where it is contested."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.special import log_softmax, softmax
from small_groups import SPLITS, network
from small_messages import CLEAN, HALF, MEAN, MESSAGES, MODELS, OF_PIXELS, sent, settings_of

from selfdoubt.communication import decisions, exchange
from selfdoubt.communication.messages import gradient
from selfdoubt.communication.probabilities import mean_probability
from selfdoubt.models import inference
from selfdoubt.runtime.errors import UserError


def test_messages_are_for_the_most_probable_classes_of_contested_images():
    messages = sent(n_candidates=3)
    chances = np.mean([softmax(logits.astype(float), 1) for logits in CLEAN.values()], axis=0)
    np.testing.assert_array_equal(messages.images, np.flatnonzero(chances.max(1) < HALF))
    np.testing.assert_array_equal(messages.candidates, np.argsort(-chances[messages.images])[:, :3])
    assert messages.gains.shape == messages.predicted.shape == (len(messages.images), 3, 3, 3)


@pytest.mark.parametrize("message", OF_PIXELS)
def test_messages_stay_within_epsilon_and_the_pixel_range_at_full_size(message):
    pixels = inference.as_pixels(SPLITS["test"].images, torch.device("cpu"))
    classes, draws = np.argsort(-MEAN)[:, :2], np.random.default_rng(0)
    for moved in decisions.load_message(settings_of(message)).send(
        MODELS["one"], pixels, classes, settings_of(message), draws
    ):
        assert (moved - pixels).abs().max() == pytest.approx(8 / 255)
        assert moved.min() >= 0 and moved.max() <= 1


def test_gains_are_those_of_the_listener_on_the_senders_image():
    messages = sent()
    pixels = inference.as_pixels(SPLITS["test"].images[messages.images], torch.device("cpu"))
    moved = gradient.send(MODELS["three"], pixels, messages.candidates, settings_of(), None)[1]
    with torch.no_grad():
        logits = MODELS["one"](moved).numpy()
    rows, classes = np.arange(len(messages.images)), messages.candidates[:, 1]
    gain = (log_softmax(logits, 1) - log_softmax(CLEAN["one"][messages.images], 1))[rows, classes]
    np.testing.assert_allclose(messages.gains[:, 1, 2, 0], gain, atol=1e-5)
    np.testing.assert_array_equal(messages.predicted[:, 1, 2, 0], logits.argmax(1))


def test_what_random_signs_gain_is_what_the_placebo_gains():
    asked = sent(gains_relative_to="random-sign")
    np.testing.assert_allclose(asked.of_random, sent("random-sign").gains, atol=1e-6)
    np.testing.assert_array_equal(asked.gains, sent().gains)
    assert sent().of_random is sent(gains_relative_to="sender").of_random is None


def test_senders_may_take_bfloat16_and_listeners_predict_in_float32():
    seen, model = set(), network(1)

    def look(module, inputs, output):
        seen.add((inputs[0].requires_grad, output.dtype))

    model[0].register_forward_hook(look)
    models = {"one": model, "two": network(1)}
    settings = settings_of(precision="bfloat16")
    clean = {"one": CLEAN["one"], "two": CLEAN["one"]}
    exchange.exchange(models, [*models], SPLITS["test"], clean, MEAN, settings, (0, "test"))
    assert seen == {(True, torch.bfloat16), (False, torch.float32)}  # where a gradient is asked for, and where not


def test_every_sender_persuades_itself_and_the_placebo_is_the_same_for_every_class():
    itself = np.arange(3)
    assert (sent().gains[:, :, itself, itself] > 0).all()
    answers = sent("random-sign").predicted
    np.testing.assert_array_equal(answers[:, 0], answers[:, 1])
    assert sent("random-sign").gains.mean() < sent().gains.mean()
    of_each = sent("random-sign").gains  # each sender has signs of its own
    assert not np.allclose(of_each[:, :, 0], of_each[:, :, 1], atol=1e-4)


@pytest.mark.parametrize("message", MESSAGES)
def test_results_do_not_depend_on_the_batch_size(message, monkeypatch):
    relative_to = "random-sign" if message in ("gradient", "transfer") else "none"
    whole = sent(message, gains_relative_to=relative_to)
    monkeypatch.setattr(inference, "LARGEST_BATCH", 3)
    parts = sent(message, gains_relative_to=relative_to)
    np.testing.assert_allclose(parts.gains, whole.gains, atol=1e-4)
    if relative_to != "none":
        np.testing.assert_allclose(parts.of_random, whole.of_random, atol=1e-4)


@pytest.mark.parametrize("message", MESSAGES)
def test_the_mean_probability_stands_without_messages(message):
    found = decisions.decide(MODELS, SPLITS, settings_of(message), seed=0)
    contested = np.exp(MEAN.max(1)) < HALF
    assert 0 < contested.sum() < len(contested)
    np.testing.assert_allclose(found.logits["test"][~contested], MEAN[~contested], rtol=1e-6)
    assert (np.abs(found.logits["test"] - MEAN)[contested].max(1) > 1e-5).all()
    np.testing.assert_allclose(np.exp(found.logits["test"].astype(float)).sum(1), 1, atol=1e-6)
    assert found.logits["test"].dtype == np.float32


def test_persuasion_changes_only_the_candidates():
    found = decisions.decide(MODELS, SPLITS, settings_of(), seed=0)
    moved = found.logits["test"] - MEAN  # the same for all classes but the two, by which rows still sum to 1
    others = np.sort(np.argsort(-MEAN, 1)[:, 2:], 1)
    left = np.take_along_axis(moved, others, 1)
    np.testing.assert_allclose(left, np.repeat(left[:, :1], 3, 1), atol=1e-5)
    first = moved[np.arange(33), MEAN.argmax(1)] - left[:, 0]
    assert (np.abs(first) > 1e-4).sum() == sent().images.size


def counted(settings: SimpleNamespace) -> tuple[decisions.Decision, dict[str, float]]:
    """A decision, and the forwards and backwards that it took for each image."""
    counts = {"forwards": 0, "backwards": 0}

    def count(module, inputs):
        counts["forwards"] += len(inputs[0])
        if inputs[0].requires_grad:
            inputs[0].register_hook(lambda gradient: counts.update(backwards=counts["backwards"] + len(gradient)))

    asked = {settings.sender, settings.listener} if settings.method == "one-way" else MODELS
    models = {name: MODELS[name] for name in MODELS if name in asked}
    hooks = [model.register_forward_pre_hook(count) for model in MODELS.values()]
    found = decisions.decide(models, {"val": SPLITS["test"], "test": SPLITS["test"]}, settings, seed=0)
    for hook in hooks:
        hook.remove()
    return found, {kind: count / (2 * 33) for kind, count in counts.items()}


ONE_WAY = {"method": "one-way", "sender": "two", "listener": "one"}
DIALOGUE = {"method": "dialogue", "n_rounds": 3, "epsilon_255": 24}


@pytest.mark.parametrize("method", [{}, ONE_WAY, ONE_WAY | {"sender": "one"}, DIALOGUE])
@pytest.mark.parametrize("message", MESSAGES)
@pytest.mark.parametrize("relative_to", ["none", "random-sign", "sender"])
def test_costs_are_what_is_computed(message, method, relative_to):
    if message not in ("gradient", "random-sign") and "n_rounds" in method:
        pytest.skip("takes no steps")
    found, costs = counted(SimpleNamespace(**vars(settings_of(message, gains_relative_to=relative_to)) | method))
    assert found.costs == pytest.approx(costs)
    assert costs["forwards"] > 1 and (costs["backwards"] > 0) == (message in ("gradient", "transfer"))


# ---- who sends ----


def test_named_senders_send_alone_and_the_others_decide():
    found = decisions.decide(MODELS, SPLITS, settings_of(senders=["three"]), seed=0)
    assert {row["sender"] for row in found.persuasion} == {"three"}
    prior = mean_probability([CLEAN["one"], CLEAN["two"]])
    contested = np.exp(prior.max(1)) < HALF
    np.testing.assert_allclose(found.logits["test"][~contested], prior[~contested], rtol=1e-6)
    # By hand: the mean gain of the two listeners by the messages of the third.
    images, classes = np.flatnonzero(contested), np.argsort(-prior)[contested][:, :2]
    pixels, rows = inference.as_pixels(SPLITS["test"].images[images], torch.device("cpu")), np.arange(len(images))
    moved, gained = gradient.send(MODELS["three"], pixels, classes, settings_of(), None), np.zeros(classes.shape)
    for k, batch in enumerate(moved):
        for name in ("one", "two"):
            with torch.no_grad():
                after = log_softmax(MODELS[name](batch).numpy().astype(float), 1)
            before = log_softmax(CLEAN[name][images].astype(float), 1)
            gained[:, k] += (after - before)[rows, classes[:, k]] / 2
    expected = prior[contested].copy()
    for k in range(2):
        expected[rows, classes[:, k]] += found.weight * (gained[:, k] - gained.mean(1))
    np.testing.assert_allclose(found.logits["test"][contested], log_softmax(expected, 1), atol=1e-4)


# ---- one-way ----


def one_way(**values) -> decisions.Decision:
    settings = SimpleNamespace(**vars(settings_of()) | ONE_WAY | values)
    models = {name: MODELS[name] for name in sorted({settings.sender, settings.listener})}
    return decisions.decide(models, SPLITS, settings, seed=0)


def test_one_way_is_the_listener_without_messages_and_leans_on_its_gain_elsewhere():
    found, prior = one_way(), log_softmax(CLEAN["one"].astype(float), 1)
    contested = np.exp(prior.max(1)) < HALF
    assert 0 < contested.sum() < 33
    np.testing.assert_allclose(found.logits["test"][~contested], prior[~contested], rtol=1e-5)

    # By hand: messages are for the listener's two most probable classes; the listener's gains are compared.
    pixels, classes = inference.as_pixels(SPLITS["test"].images, torch.device("cpu")), np.argsort(-prior)[:, :2]
    moved = gradient.send(MODELS["two"], pixels, classes, settings_of(), None)
    with torch.no_grad():
        after = [log_softmax(MODELS["one"](each).numpy().astype(float), 1) for each in moved]
    rows = np.arange(33)
    gained = np.stack([(each - prior)[rows, classes[:, k]] for k, each in enumerate(after)], 1)
    expected = prior.copy()
    for k in range(2):
        expected[rows, classes[:, k]] += found.weight * (gained[:, k] - gained.mean(1))
    expected = log_softmax(expected, 1)
    np.testing.assert_allclose(found.logits["test"][contested], expected[contested], atol=1e-4)


def test_one_way_has_rows_of_one_sender_and_its_listeners():
    pairs = {(row["sender"], row["listener"]) for row in one_way().persuasion}
    assert pairs == {("two", "one"), ("two", "two")}
    assert {(row["sender"], row["listener"]) for row in one_way(sender="one").persuasion} == {("one", "one")}


def test_models_are_left_as_they_were():
    models = {name: network(seed).train() for name, seed in (("one", 1), ("two", 2))}
    clean = {name: CLEAN[name] for name in models}
    exchange.exchange(models, [*models], SPLITS["test"], clean, MEAN, settings_of(), (0, "test"))
    for name, model in models.items():
        assert all(torch.equal(a, b) for a, b in zip(model.parameters(), MODELS[name].parameters(), strict=True))
        assert all(weight.grad is None and weight.requires_grad for weight in model.parameters())
        assert all(module.training for module in model.modules())


def test_one_model_cannot_persuade():
    with pytest.raises(UserError, match="add a member"):
        decisions.decide({"one": MODELS["one"]}, SPLITS, settings_of(), seed=0)
