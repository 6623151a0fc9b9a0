"""Groups decide by the mean probability, and by persuasion only where it is contested."""

from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
import torch
from scipy.special import log_softmax, softmax
from small_groups import SPLITS, network

from selfdoubt.communication import decisions, exchange, gains
from selfdoubt.communication.messages import gradient, spatial, transfer
from selfdoubt.communication.probabilities import mean_probability
from selfdoubt.models import inference
from selfdoubt.runtime import methods
from selfdoubt.runtime.errors import UserError
from selfdoubt.runtime.schemas.persuasion import PERSUASION_SCHEMA

MESSAGES = methods.names_in("communication.messages")
OF_PIXELS = [name for name in MESSAGES if name != "spatial"]


MODELS = {"one": network(1), "two": network(2), "three": network(3)}
CLEAN = {name: inference.predict_logits(model, SPLITS["test"].images) for name, model in MODELS.items()}
MEAN = mean_probability(list(CLEAN.values())).astype(np.float32)
HALF = float(np.sort(np.exp(MEAN.max(1)))[16:18].mean())  # about half of the 33 images are contested


def settings_of(message: str = "gradient", **values) -> SimpleNamespace:
    defaults = {"epsilon_255": 8, "n_steps": 2, "n_candidates": 2, "contested_below": HALF}
    defaults |= {
        "precision": "float32",
        "gains_relative_to": "none",
        "shift_px": 1,
        "flip": True,
        "pick": "confident",
        "momentum": 1.0,
        "n_views": 3,
    }
    return SimpleNamespace(method="persuasion", message=message, **{**defaults, **values})


def sent(message: str = "gradient", **values) -> exchange.Messages:
    settings, prior = settings_of(message, **values), MEAN.astype(np.float64)
    return exchange.exchange(MODELS, [*MODELS], SPLITS["test"], CLEAN, prior, settings, (0, "test"))


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
    monkeypatch.setattr(gains, "folds", lambda labels, n_folds: np.arange(len(labels)) % n_folds)
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
    kept = gains._kept(two_messages(), ~OWN, OWN, "none")
    np.testing.assert_array_equal(kept.gains, [[[3, 1], [0, 1]]])  # image, class, pair
    np.testing.assert_array_equal(kept.candidates, [[2, 0]])


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


# ---- messages that are made to transfer ----


def sent_by_one(module, **values) -> list[torch.Tensor]:
    pixels, classes = inference.as_pixels(SPLITS["test"].images, torch.device("cpu")), np.argsort(-MEAN)[:, :2]
    return module.send(MODELS["one"], pixels, classes, settings_of(**values), np.random.default_rng(0))


def test_without_momentum_and_views_transfer_is_the_gradient():
    plain = sent_by_one(transfer, momentum=0.0, n_views=1, shift_px=0)
    assert all(torch.equal(*pair) for pair in zip(plain, sent_by_one(gradient), strict=True))
    assert not torch.equal(
        sent_by_one(transfer, n_views=1, shift_px=0, n_steps=5)[0], sent_by_one(gradient, n_steps=5)[0]
    )
    assert transfer.cost(2, settings_of()) == (2, 2 * 2 * 3, 2 * 2 * 3)


def test_gradients_of_views_are_moved_back_to_the_image():
    """The mean gradient of views is that of the mean objective of the views, by autograd."""
    images = inference.as_pixels(SPLITS["test"].images, torch.device("cpu")).requires_grad_()
    top = torch.from_numpy(np.random.default_rng(0).integers(0, 3, (33, 2)))
    weight = torch.rand(33, 1, 8, 8)
    (transfer._moved(images, top, 1) * weight).sum().backward()
    assert torch.allclose(images.grad, transfer._moved(weight, 2 - top, 1))


# ---- spatial messages ----


def moved_by_hand(images: torch.Tensor) -> list[torch.Tensor]:
    """All 18 transformations of a set of one pixel: black moves in, then the image is mirrored or not."""
    padded = torch.nn.functional.pad(images, [1] * 4)
    places = [padded[..., top : top + 8, left : left + 8] for top in range(3) for left in range(3)]
    return [each for place in places for each in (place, place.flip(3))]


def test_the_sender_picks_what_makes_it_most_confident_of_each_class():
    pixels, classes = inference.as_pixels(SPLITS["test"].images, torch.device("cpu")), np.argsort(-MEAN)[:, :2]
    found, every = spatial.send(MODELS["one"], pixels, classes, settings_of(), None), moved_by_hand(pixels)
    with torch.no_grad():
        log_p = np.stack([log_softmax(MODELS["one"](each).numpy(), 1) for each in every])  # (18, n, K)
    for k, batch in enumerate(found):
        best = log_p[:, np.arange(33), classes[:, k]].argmax(0)
        expected = torch.stack([every[move][i] for i, move in enumerate(best)])
        assert len(found) == 2 and torch.equal(batch, expected)
    assert spatial.cost(2, settings_of()) == (2, 18, 0)


def test_the_control_of_spatial_messages_is_any_of_the_set_for_every_class():
    pixels, control = inference.as_pixels(SPLITS["test"].images, torch.device("cpu")), settings_of(pick="random")
    [found] = spatial.send(MODELS["one"], pixels, np.argsort(-MEAN)[:, :2], control, np.random.default_rng(0))
    every = moved_by_hand(pixels)
    picked = [next(t for t, each in enumerate(every) if torch.equal(each[i], found[i])) for i in range(33)]
    assert len(set(picked)) > 8 and spatial.cost(2, control) == (1, 0, 0)


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


class Linear(torch.nn.Module):
    """Three classes, whose logits are linear in the four pixels of a row."""

    def __init__(self, seed: int):
        super().__init__()
        weight = torch.randn(3, 4, generator=torch.Generator().manual_seed(seed))
        self.weight = torch.nn.Parameter(12 * weight, requires_grad=False)

    def forward(self, images):
        return images.flatten(1) @ self.weight.T


def stepped_by_hand(
    weight: torch.Tensor, row: torch.Tensor, n_steps: int, views: bool, normalised: bool
) -> torch.Tensor:
    """Steps towards class 0, at the row and at the same row moved right by a pixel, with a momentum of 1."""

    def gradient(pixels):
        p = (weight @ pixels).softmax(0)
        return weight[0] - p @ weight

    moved, velocity, epsilon = row, torch.zeros(4), 8 / 255
    for _ in range(n_steps):
        right = torch.cat([torch.zeros(1), moved[:-1]])
        left_again = torch.cat([gradient(right)[1:], torch.zeros(1)])
        total = gradient(moved) + views * left_again
        velocity = velocity + (total / total.abs().mean() if normalised else total)
        moved = (moved + epsilon / n_steps * velocity.sign()).clamp(0, 1)
    return moved


def test_steps_with_views_and_momentum_by_hand():
    row, tops = torch.tensor([0.2, 0.6, 0.4, 0.5]), torch.tensor([1, 0])  # padded by 1: no row down, a column right
    differ = set()
    for seed in range(40):
        model = Linear(seed)
        found = transfer._ascend(
            model, row.view(1, 1, 1, 4), torch.tensor([0]), tops.expand(1, 8, 1, 2), settings_of("transfer", n_steps=8)
        )[0, 0, 0]
        hand = [stepped_by_hand(model.weight, row, 8, *how) for how in ((True, True), (False, True), (True, False))]
        np.testing.assert_allclose(found, hand[0], atol=1e-6)
        differ |= {i for i in (1, 2) if not torch.allclose(hand[0], hand[i], atol=1e-6)}
    assert differ == {1, 2}  # without views, and without dividing by the mean, some pixel ends elsewhere
