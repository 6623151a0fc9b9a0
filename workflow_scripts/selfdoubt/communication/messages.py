"""Messages between models: who says what, and how it is heard.

A *message* from a sender A is a perturbation that makes A surer of a class c. A listener B answers on the perturbed
image; its *gain* is what the message adds to B's log p of c. Gains as they are compare badly between classes: what is
less likely has more to gain, from any change. `communication` says what they may be held against.
"""

from typing import NamedTuple

import numpy as np
import torch
from scipy.special import log_softmax
from torch import Tensor, nn

from selfdoubt.attacks import gradients
from selfdoubt.models import inference
from selfdoubt.runtime import randomness


class Messages(NamedTuple):
    """What was said of a split, and how it was heard. Axes: m contested images, k candidates, senders, listeners."""

    images: np.ndarray  # int64 (m,) rows of the split
    candidates: np.ndarray  # int64 (m, k) classes argued for, the likeliest first
    gains: np.ndarray  # float64 (m, k, S, L), nats
    answers: np.ndarray  # int16 (m, k, S, L), the listener's label after the message
    of_random: np.ndarray | None  # float64 (m, k, S, L), gains from random signs of the same size, where asked for
    costs: dict[str, float]  # forwards and backwards of one image of the split, the clean answers not included


def persuade(
    models: dict[str, nn.Module],
    senders: list[str],
    split,
    clean_logits: dict[str, np.ndarray],
    log_prior: np.ndarray,
    settings,
    draws: tuple[int, str],
) -> Messages:
    """Let senders argue before every model, wherever the likeliest class of an image is contested.

    clean_logits: of each model (n, K). log_prior: (n, K) log probabilities, which say what is contested and for which
    classes is argued. draws: the seed, and the name of the split; they name the draws of random messages.
    """
    images, candidates = _contested(log_prior, settings)
    device = next(next(iter(models.values())).parameters()).device
    size = inference.batch_size_of(split.images, *models.values())
    generators = [randomness.generator(draws[0], f"random-sign/{draws[1]}", [*models].index(name)) for name in senders]
    gains = np.zeros((*candidates.shape, len(senders), len(models)))  # (m, k, S, L)
    answers, of_random = np.zeros(gains.shape, np.int16), None
    if settings.gains_relative_to == "random-sign":
        of_random = np.zeros(gains.shape)
    with gradients.frozen(*models.values()), torch.no_grad():
        for start in range(0, len(images), size):
            part = slice(start, start + size)
            pixels, classes = inference.as_pixels(split.images[images[part]], device), candidates[part]
            before = [clean_logits[name][images[part]] for name in models]
            for i, sender in enumerate(senders):
                how = models[sender], pixels, classes, settings, generators[i]
                said = MESSAGES[settings.message](*how)
                gains[part, :, i], answers[part, :, i] = _all_hear(models, before, said, classes)
                if of_random is not None:
                    of_random[part, :, i], _ = _all_hear(models, before, random_messages(*how), classes)
    costs = _costs(gains.shape, len(split.images), settings)
    return Messages(images, candidates, gains, answers, of_random, costs)


def _contested(log_prior: np.ndarray, settings) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows whose likeliest class is not likely enough, and the likeliest classes of each."""
    images = np.flatnonzero(np.exp(log_prior.max(1)) < settings.contested_below)
    order = np.argsort(-log_prior[images], axis=1, kind="stable")
    return images, order[:, : settings.n_candidates]


def _all_hear(models, before: list[np.ndarray], messages: list[Tensor], classes: np.ndarray) -> tuple:
    """Return every listener's gains and answers, (n, k, L) each; before: their clean logits (n, K)."""
    heard = [_hear(*pair, messages, classes) for pair in zip(models.values(), before, strict=True)]
    return tuple(np.stack(found, axis=-1) for found in zip(*heard, strict=True))


def _hear(model, before: np.ndarray, messages: list[Tensor], classes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the listener's gains and answers, (n, k) each; one message may stand for all k classes."""
    logits = np.stack([model(message).float().cpu().numpy() for message in messages], axis=1)  # (n, 1 or k, K)
    logits = np.broadcast_to(logits, (*classes.shape, logits.shape[2]))
    after = np.take_along_axis(log_softmax(logits.astype(np.float64), axis=2), classes[:, :, None], axis=2)[:, :, 0]
    before = np.take_along_axis(log_softmax(before.astype(np.float64), axis=1), classes, axis=1)
    return after - before, logits.argmax(2)


def persuasion_rows(
    messages: Messages, labels: np.ndarray, clean_answers: np.ndarray, senders: list[str], listeners: list[str]
) -> list[dict]:
    """Return rows of SCHEMAS["persuasion"]: who persuades whom, of the true class and of wrong ones.

    Gains are as they are, whatever they are held against. Who already answers the class that a message argues for
    cannot be persuaded of it, so that its share is of the others. labels: of every image of the split, (n,).
    clean_answers: the listeners', (n, L). senders, listeners: in the order of the messages' axes.
    """
    true = messages.candidates == labels[messages.images][:, None]  # (m, k)
    argued = messages.candidates[:, :, None]
    persuaded = messages.answers == argued[..., None]
    is_open = clean_answers[messages.images][:, None] != argued  # (m, k, L)
    rows = []
    for i, sender in enumerate(senders):
        for j, listener in enumerate(listeners):
            for message, mask in (("true", true), ("wrong", ~true)):
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
    n_steps, n_messages = (settings.n_steps, n_candidates) if settings.message == "gradient" else (0, 1)
    heard = n_listeners * (n_messages + (settings.gains_relative_to == "random-sign"))  # of each sender
    spoken = n_contested * n_senders / max(n_images, 1)  # an image of the split
    return {"forwards": spoken * (n_messages * n_steps + heard), "backwards": spoken * n_messages * n_steps}


# ---- messages: (sender, images (n, C, H, W), classes (n, k), settings, generator) -> k perturbed batches, or 1 for all


def gradient_messages(sender: nn.Module, images: Tensor, classes: np.ndarray, settings, generator) -> list[Tensor]:
    """For each class, steps that raise the sender's log p of it, each an equal part of epsilon."""
    epsilon = settings.epsilon_255 / 255
    objectives = [gradients.log_odds(torch.from_numpy(labels).to(images.device)) for labels in classes.T]
    steps = settings.n_steps, epsilon / settings.n_steps
    return [gradients.ascend(sender, images, towards, epsilon, *steps, settings.precision) for towards in objectives]


def random_messages(sender: nn.Module, images: Tensor, classes: np.ndarray, settings, generator) -> list[Tensor]:
    """The placebo: random signs of equal size, the same for all classes, other ones for each sender."""
    return [gradients.random_signs(images, settings.epsilon_255 / 255, generator)]


MESSAGES = {"gradient": gradient_messages, "random-sign": random_messages}
