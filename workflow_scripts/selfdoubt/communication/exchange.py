"""Messages between models: which are sent, and how listeners' predictions change.

A *message* from a sender A is a perturbation that raises A's confidence in a class c. A listener B classifies the
perturbed image; its *gain* is the increase of B's log p of c. Gains of two classes are hard to compare: the class of
lower probability has more to gain, from any change of the image. `gains` defines what they may be taken relative to.
"""

from copy import deepcopy
from typing import NamedTuple

import numpy as np
import torch
from scipy.special import log_softmax
from torch import Tensor, nn

from selfdoubt.attacks import gradients
from selfdoubt.communication import decisions
from selfdoubt.models import inference
from selfdoubt.runtime import randomness


class Messages(NamedTuple):
    """Messages about a split and their effect. Axes: m contested images, k candidates, S senders, L listeners."""

    images: np.ndarray  # int64 (m,) rows of the split
    candidates: np.ndarray  # int64 (m, k) classes that messages are for, the most probable first
    gains: np.ndarray  # float64 (m, k, S, L), nats
    predicted: np.ndarray  # int16 (m, k, S, L), the listener's predicted class after the message
    of_random: np.ndarray | None  # float64 (m, k, S, L), gains by random signs of the same size, where needed
    costs: dict[str, float]  # forwards and backwards of one image of the split, clean predictions not included


def exchange(
    models: dict[str, nn.Module],
    senders: list[str],
    split,
    clean_logits: dict[str, np.ndarray],
    log_prior: np.ndarray,
    settings,
    draws: tuple[int, str],
) -> Messages:
    """Send messages from the senders to every model about the contested images of a split.

    clean_logits: of each model (n, K). log_prior: (n, K) log probabilities. An image is contested where the largest is
    below `contested_below`; messages are for its `n_candidates` most probable classes. draws: the seed and the name of
    the split, of which the generator of each sender's random signs is made.
    """
    images, candidates = contested(log_prior, settings.contested_below, settings.n_candidates)
    send = decisions.load_message(settings).send
    device = next(next(iter(models.values())).parameters()).device
    size = inference.batch_size_of(split.images, *models.values())
    drawn = [randomness.generator(draws[0], f"random-sign/{draws[1]}", [*models].index(name)) for name in senders]
    drawn_again = deepcopy(drawn)  # for the placebo of the same messages: batches must not change what either draws
    gains = np.zeros((*candidates.shape, len(senders), len(models)))  # (m, k, S, L)
    predicted, of_random = np.zeros(gains.shape, np.int16), None
    if settings.gains_relative_to == "random-sign":
        of_random = np.zeros(gains.shape)
    with gradients.frozen(*models.values()), torch.no_grad():
        for start in range(0, len(images), size):
            part = slice(start, start + size)
            pixels, classes = inference.as_pixels(split.images[images[part]], device), candidates[part]
            before = [clean_logits[name][images[part]] for name in models]
            for i, sender in enumerate(senders):
                sent = send(models[sender], pixels, classes, settings, drawn[i])
                gains[part, :, i], predicted[part, :, i] = _receive(models, before, sent, classes)
                if of_random is not None:
                    placebo = gradients.random_signs(pixels, settings.epsilon_255 / 255, drawn_again[i])
                    of_random[part, :, i], _ = _receive(models, before, [placebo], classes)
    costs = _costs(gains.shape, len(split.images), settings)
    return Messages(images, candidates, gains, predicted, of_random, costs)


def contested(log_prior: np.ndarray, below: float, n_candidates: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of log probabilities (n, K) of which the largest is too low, and the most probable classes."""
    images = np.flatnonzero(np.exp(log_prior.max(1)) < below)
    order = np.argsort(-log_prior[images], axis=1, kind="stable")
    return images, order[:, :n_candidates]


def _receive(models, before: list[np.ndarray], messages: list[Tensor], classes: np.ndarray) -> tuple:
    """Return every listener's gains and predicted classes, (n, k, L) each; before: their clean logits (n, K)."""
    found = [_gain(*pair, messages, classes) for pair in zip(models.values(), before, strict=True)]
    return tuple(np.stack(each, axis=-1) for each in zip(*found, strict=True))


def _gain(model, before: np.ndarray, messages: list[Tensor], classes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a listener's gains and predicted classes, (n, k) each; one message may stand for all k classes."""
    logits = np.stack([model(message).float().cpu().numpy() for message in messages], axis=1)  # (n, 1 or k, K)
    logits = np.broadcast_to(logits, (*classes.shape, logits.shape[2]))
    after = np.take_along_axis(log_softmax(logits.astype(np.float64), axis=2), classes[:, :, None], axis=2)[:, :, 0]
    before = np.take_along_axis(log_softmax(before.astype(np.float64), axis=1), classes, axis=1)
    return after - before, logits.argmax(2)


def persuasion_rows(
    messages: Messages, labels: np.ndarray, clean_predicted: np.ndarray, senders: list[str], listeners: list[str]
) -> list[dict]:
    """Return rows of PERSUASION: mean gains and fractions persuaded, for messages of the true or another class.

    Gains are not relative to anything. A listener whose clean prediction is the class of a message cannot be persuaded
    of it, so `persuaded` is a fraction of the other messages. labels: of every image of the split, (n,).
    clean_predicted: the listeners' classes, (n, L). senders, listeners: in the order of the messages' axes.
    """
    true = messages.candidates == labels[messages.images][:, None]  # (m, k)
    meant = messages.candidates[:, :, None]
    persuaded = messages.predicted == meant[..., None]
    is_open = clean_predicted[messages.images][:, None] != meant  # (m, k, L)
    rows = []
    for i, sender in enumerate(senders):
        for j, listener in enumerate(listeners):
            for message, mask in (("true", true), ("other", ~true)):
                row = {"sender": sender, "listener": listener, "message": message}
                row["gain"], row["n"] = _mean(messages.gains[mask][:, i, j])
                row["persuaded"], row["n_open"] = _mean(persuaded[mask & is_open[..., j]][:, i, j])
                rows.append(row)
    return rows


def _mean(values: np.ndarray) -> tuple[float | None, int]:
    """Return the mean of values (n,), None of none, and n."""
    return (float(values.mean()) if len(values) else None), len(values)


def _costs(shape: tuple[int, ...], n_images: int, settings) -> dict[str, float]:
    n_contested, n_candidates, n_senders, n_listeners = shape
    n_messages, forwards, backwards = decisions.load_message(settings).cost(n_candidates, settings)
    received = n_listeners * (n_messages + (settings.gains_relative_to == "random-sign"))  # of each sender
    sent = n_contested * n_senders / max(n_images, 1)  # an image of the split
    return {"forwards": sent * (forwards + received), "backwards": sent * backwards}
