"""A network learns to write messages of which a frozen listener is correct."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.special import log_softmax
from small_groups import SPLITS, network, split_of

from selfdoubt.communication import decisions, trained
from selfdoubt.communication.protocols import trained_messages
from selfdoubt.models import classifier, inference
from selfdoubt.runtime.errors import UserError

TRAINED = {"method": "trained-messages", "sender": "one", "listener": "two", "reads": "predictions", "width": 4}
TRAINED |= {"channel": "message", "shuffled": False, "epsilon_255": 32, "epochs": 2, "batch_size": 16}
TRAINED |= {"learning_rate": 0.01, "n_folds": 2, "contested_below": 0.99}
WITH_TRAIN = {**SPLITS, "train": split_of(40, 3)}
CONTROLS = {"message": {}, "image": {"reads": "image"}, "shuffled": {"shuffled": True}}
CONTROLS |= {"val": {"splits": SPLITS}}
CONTROLS |= {"fusion": {"channel": "fusion", "epsilon_255": None}}


def decide(splits: dict = WITH_TRAIN, **values) -> decisions.Decision:
    models = {"one": network(1), "two": network(2)}
    return decisions.decide(models, splits, SimpleNamespace(**TRAINED | values), seed=0)


@pytest.mark.parametrize("control", CONTROLS)
def test_results_are_reproducible_log_probabilities_of_all_but_train(control, monkeypatch):
    found = decide(**CONTROLS[control])
    assert found.logits.keys() == SPLITS.keys()
    for split, logits in found.logits.items():
        assert logits.dtype == np.float32 and logits.shape == (len(SPLITS[split].images), 5)
        np.testing.assert_allclose(np.exp(logits).sum(1), 1, atol=1e-5)
        np.testing.assert_array_equal(decide(**CONTROLS[control]).logits[split], logits)
    monkeypatch.setattr(inference, "LARGEST_BATCH", 7)
    np.testing.assert_allclose(decide(**CONTROLS[control]).logits["test"], found.logits["test"], atol=1e-5)


@pytest.mark.parametrize("learned_from", [WITH_TRAIN, SPLITS], ids=["train-and-val", "val"])
@pytest.mark.parametrize("control", ["message", "fusion"])
def test_images_of_val_are_predicted_by_networks_that_did_not_learn_from_them(control, learned_from, monkeypatch):
    fold = np.arange(60) % 2
    monkeypatch.setattr(trained_messages, "stratified_folds", lambda labels, n_folds: fold)
    val = SPLITS["val"]
    other = SimpleNamespace(images=val.images, labels=np.where(fold == 0, (val.labels + 1) % 5, val.labels))
    one, two = (decide(learned_from | {"val": each}, **CONTROLS[control]).logits["val"] for each in (val, other))
    np.testing.assert_array_equal(one[fold == 0], two[fold == 0])
    assert (np.abs(one - two)[fold == 1].max(1) > 0).all()


def test_the_listener_predicts_images_within_epsilon_and_is_taught_to_be_correct():
    one, two = network(1), network(2)
    train, strong = WITH_TRAIN["train"], {"epochs": 40, "epsilon_255": 128, "learning_rate": 0.03}
    heard = trained.standardised({"train": trained.hear(one, two, train.images, "predictions")}, ["train"])["train"]
    settings, labels, rows = SimpleNamespace(**TRAINED | strong), train.labels, np.arange(40)
    writer = trained_messages._trained(two.requires_grad_(False), [heard, heard], labels, rows, settings, 0)
    pixels = inference.as_pixels(heard.images, torch.device("cpu"))
    delta = writer(pixels, torch.from_numpy(heard.features))
    assert 0 < delta.abs().max() <= 128 / 255
    nll = [-log_softmax(two(x.clamp(0, 1)).detach().numpy(), 1)[rows, labels].mean() for x in (pixels, pixels + delta)]
    assert nll[1] < nll[0] - 0.1


@pytest.mark.parametrize(("kind", "sizes"), [(trained.Writer, (5, (1, 8, 8), 4, 0.1)), (trained.Fusion, (5, 5, 4))])
def test_untrained_networks_change_nothing(kind, sizes):
    found = trained.build(kind, 0, *sizes)
    given = torch.rand(3, 1, 8, 8) if kind is trained.Writer else torch.randn(3, 5)
    expected = torch.zeros_like(given) if kind is trained.Writer else given
    assert torch.equal(found(given, torch.randn(3, 5)), expected)


def test_shuffling_keeps_the_class_that_the_sender_names_and_moves_every_image():
    named = np.array([0, 1, 0, 2, 1, 0])
    others = trained_messages._within(named, np.zeros(6, int), np.random.default_rng(0))
    np.testing.assert_array_equal(named[others], named)
    np.testing.assert_array_equal(np.sort(others), np.arange(6))
    assert [i for i in range(6) if others[i] == i] == [3]  # which has none of its class


def test_a_shuffled_message_is_of_an_image_of_its_fold_which_the_writer_has_not_seen():
    named, folds = np.tile([0, 1], 20), np.repeat([0, 1], 20)
    others = trained_messages._within(named, folds, np.random.default_rng(0))
    np.testing.assert_array_equal(folds[others], folds)
    np.testing.assert_array_equal(named[others], named)
    assert (others != np.arange(40)).all()


def test_a_shuffled_message_moves_the_image_that_is_decided(monkeypatch):
    asked = []

    def logits(listener, network, heard, rows, others, settings):
        asked.append((rows, others))
        return torch.zeros(len(rows), 5)

    monkeypatch.setattr(trained_messages, "_logits", logits)
    heard = trained.hear(network(1), network(2), SPLITS["test"].images, "predictions")
    settings, folds = SimpleNamespace(**TRAINED | {"shuffled": True}), np.zeros(33, int)
    trained_messages._decided(network(2), [None], folds, heard, settings, np.random.default_rng(0))
    rows, others = (np.concatenate(each) for each in zip(*asked, strict=True))
    np.testing.assert_array_equal(rows, np.arange(33))
    np.testing.assert_array_equal(heard.predicted[others], heard.predicted)
    assert (others != rows).any()


CONVNET = SimpleNamespace(family="convnet", widths=[2, 3])
PASSES = {"message": 3, "image": 2, "shuffled": 3, "fusion": 2, "message-itself": 3, "fusion-itself": 1}


@pytest.mark.parametrize("reads", ["predictions", "features"])
@pytest.mark.parametrize("control", PASSES)
def test_forwards_of_an_image_are_those_that_are_made(control, reads, monkeypatch):
    monkeypatch.setattr(trained, "train", lambda network, *rest: network.requires_grad_(False))
    kind, _, itself = control.partition("-")
    size = SPLITS["test"].images.shape[-1]
    models = {name: classifier.build_model(CONVNET, 5, 1, size).eval() for name in ("one", "two")}
    entry = {"reads": reads} | CONTROLS[kind] | ({"sender": "two"} if itself else {})
    made = []

    def count(module, inputs):
        if isinstance(module, (classifier.Classifier, trained.Writer)):
            made.append(len(inputs[0]))

    handle = torch.nn.modules.module.register_module_forward_pre_hook(count)
    found = decisions.decide(models, SPLITS, SimpleNamespace(**TRAINED | entry), seed=0)
    handle.remove()
    # Beside them the information test has the listener's clean prediction, and that of a sender who says nothing.
    further = {"message": not itself, "shuffled": 1, "image": 2}.get(kind, 0)
    assert sum(made) == (PASSES[control] + further) * (60 + 33)
    assert found.costs == {"forwards": PASSES[control], "backwards": 0}


def test_gains_are_what_the_listeners_log_probabilities_rise_by():
    found, own = decide(), log_softmax(inference.predict_logits(network(2), SPLITS["test"].images), 1)
    kept = found.kept["test"]
    np.testing.assert_array_equal(kept.rows, np.flatnonzero(np.exp(own.max(1)) < 0.99))
    gains = np.take_along_axis((found.logits["test"] - own)[kept.rows], kept.candidates, 1)
    np.testing.assert_allclose(kept.gains[..., 0], gains, atol=1e-5)


def test_features_are_those_of_the_last_layer_and_a_network_without_one_is_named():
    convnet = SimpleNamespace(family="convnet", widths=[2, 3, 4])
    model = classifier.build_model(convnet, n_classes=5, channels=1, size_px=16).eval()
    images = np.zeros((3, 1, 16, 16), np.uint8)
    assert trained.hear(model, model, images, "features").features.shape[1] == model.last_layer("").in_features
    model.heads = list
    with pytest.raises(UserError, match="reads: features"):
        trained.hear(model, model, images, "features")


def test_val_that_is_smaller_than_its_folds_is_named():
    with pytest.raises(UserError, match="60 samples in val, and 61 folds"):
        decide(n_folds=61)
