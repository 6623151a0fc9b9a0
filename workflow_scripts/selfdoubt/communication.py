"""How a group of models decides when its members speak to each other.

A *message* from a sender A is a perturbation that makes A surer of a class c. A listener B answers on the perturbed
image; its *gain* is what the message adds to B's log p of c. Persuasion adds to the mean's log probabilities what
others gained, relative to the other candidates of the image, times a weight fitted on `val`. Messages are sent only
where the mean probability is contested; elsewhere, and with weight 0, the decision is the mean probability itself.

Left out: a sender's message to itself, which is reported but decides nothing.
"""

from typing import NamedTuple

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from torch import Tensor, nn

from selfdoubt import attacks, inference, randomness
from selfdoubt.errors import UserError
from selfdoubt.pooling import log_probabilities, mean_probability

_WEIGHTS = (-10.0, 10.0)


class Decision(NamedTuple):
    """What a group says of every split."""

    logits: dict[str, np.ndarray]  # float32 (n, K): log probabilities
    weight: float  # of the gains
    persuasion: list[dict]  # rows of SCHEMAS["persuasion"], of the split "test"
    costs: dict[str, float]  # forwards and backwards of one image, mean over the split "test"


class Messages(NamedTuple):
    """What was said of a split, and how it was heard. Axes: m contested images, k candidates, senders, listeners."""

    images: np.ndarray  # int64 (m,) rows of the split
    candidates: np.ndarray  # int64 (m, k) classes argued for, the likeliest first
    gains: np.ndarray  # float64 (m, k, S, L), nats
    answers: np.ndarray  # int16 (m, k, S, L), the listener's label after the message
    costs: dict[str, float]  # forwards and backwards of one image of the split, the clean answers not included


def _ask(models: dict[str, nn.Module], split) -> dict[str, np.ndarray]:
    return {name: inference.predict_logits(model, split.images) for name, model in models.items()}


def decide_by_persuasion(models: dict[str, nn.Module], splits: dict, settings, seed: int) -> Decision:
    """Decide by the mean of the members' probabilities and what others gained; its weight is fitted on "val"."""
    if len(models) < 2:
        raise UserError(f"groups: nobody hears '{', '.join(models)}'; give a group that persuades two members or more")
    clean = {name: _ask(models, split) for name, split in splits.items()}
    heard = {name: persuade(models, split, clean[name], settings, seed, name) for name, split in splits.items()}
    log_mean = {name: mean_probability(list(logits.values())) for name, logits in clean.items()}
    evidence = {name: relative_gains(heard[name], *log_mean[name].shape) for name in splits}
    weight = fit_weight(log_mean["val"], evidence["val"], splits["val"].labels)
    logits = {name: log_probabilities(log_mean[name] + weight * evidence[name]).astype(np.float32) for name in splits}
    rows = persuasion_rows(heard["test"], splits["test"].labels, list(models))
    costs = heard["test"].costs
    return Decision(logits, weight, rows, {**costs, "forwards": costs["forwards"] + len(models)})


def persuade(
    models: dict[str, nn.Module], split, clean_logits: dict[str, np.ndarray], settings, seed: int, name: str
) -> Messages:
    """Let every model argue before every model, wherever the mean probability of the split is contested.

    clean_logits: of each model (n, K). name: of the split; it names the draws of random messages.
    """
    images, candidates = _contested(mean_probability(list(clean_logits.values())), settings)
    device = next(next(iter(models.values())).parameters()).device
    size = inference.batch_size_of(split.images, *models.values())
    draws = [randomness.generator(seed, f"random-sign/{name}", sender) for sender in range(len(models))]
    gains = np.zeros((*candidates.shape, len(models), len(models)))  # (m, k, S, L)
    answers = np.zeros(gains.shape, np.int16)
    with attacks.frozen(*models.values()), torch.no_grad():
        for start in range(0, len(images), size):
            part = slice(start, start + size)
            pixels = inference.as_pixels(split.images[images[part]], device)
            for i, sender in enumerate(models.values()):
                messages = MESSAGES[settings.message](sender, pixels, candidates[part], settings, draws[i])
                for j, (listener, model) in enumerate(models.items()):
                    before = clean_logits[listener][images[part]]
                    gains[part, :, i, j], answers[part, :, i, j] = _hear(model, messages, candidates[part], before)
    return Messages(images, candidates, gains, answers, _costs(gains.shape, len(split.images), settings))


def _contested(log_mean: np.ndarray, settings) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows whose likeliest class is not likely enough, and the likeliest classes of each."""
    images = np.flatnonzero(np.exp(log_mean.max(1)) < settings.contested_below)
    order = np.argsort(-log_mean[images], axis=1, kind="stable")
    return images, order[:, : settings.n_candidates]


def _hear(model, messages: list[Tensor], classes: np.ndarray, before: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the listener's gains and answers, (n, k) each; one message may stand for all k classes."""
    logits = np.stack([model(message).float().cpu().numpy() for message in messages], axis=1)  # (n, 1 or k, K)
    logits = np.broadcast_to(logits, (*classes.shape, logits.shape[2]))
    after = np.take_along_axis(log_softmax(logits.astype(np.float64), axis=2), classes[:, :, None], axis=2)[:, :, 0]
    before = np.take_along_axis(log_softmax(before.astype(np.float64), axis=1), classes, axis=1)
    return after - before, logits.argmax(2)


def relative_gains(messages: Messages, n_images: int, n_classes: int) -> np.ndarray:
    """Return how much more others gained from the messages for a class than from those for a mean candidate.

    float64 (n_images, n_classes), nats; 0 for classes that nobody argued for. What the sender gains is not counted.
    """
    others = ~np.eye(messages.gains.shape[-1], dtype=bool)
    gains = messages.gains[..., others].mean(-1)  # (m, k)
    relative = np.zeros((n_images, n_classes))
    relative[messages.images[:, None], messages.candidates] = gains - gains.mean(1, keepdims=True)
    return relative


def fit_weight(log_mean: np.ndarray, relative: np.ndarray, labels: np.ndarray) -> float:
    """Return the weight in [-10, 10] of the relative gains (n, K) that minimises the negative log likelihood.

    The loss is convex in the weight. Images without messages do not move it; if there are no others, it is 0.
    """
    rows = np.flatnonzero(relative.any(1))
    if len(rows) == 0:
        return 0.0
    log_mean, relative, labels = log_mean[rows], relative[rows], labels[rows]

    def loss(weight: float) -> float:
        return -log_softmax(log_mean + weight * relative, axis=1)[np.arange(len(rows)), labels].mean()

    return float(minimize_scalar(loss, bounds=_WEIGHTS, method="bounded").x)


def persuasion_rows(messages: Messages, labels: np.ndarray, names: list[str]) -> list[dict]:
    """Return rows of SCHEMAS["persuasion"]: who persuades whom, of the true class and of wrong ones.

    labels: of every image of the split. names: of the models, in the order of the messages' axes.
    """
    true = messages.candidates == labels[messages.images][:, None]  # (m, k)
    persuaded = messages.answers == messages.candidates[:, :, None, None]
    rows = []
    for i, sender in enumerate(names):
        for j, listener in enumerate(names):
            for message, mask in (("true", true), ("wrong", ~true)):
                n = int(mask.sum())
                gain, share = (float(x[mask][:, i, j].mean()) if n else None for x in (messages.gains, persuaded))
                row = {"sender": sender, "listener": listener, "message": message}
                rows.append({**row, "gain": gain, "persuaded": share, "n": n})
    return rows


def _costs(shape: tuple[int, ...], n_images: int, settings) -> dict[str, float]:
    n_contested, n_candidates, n_senders, n_listeners = shape
    n_steps, n_messages = (settings.n_steps, n_candidates) if settings.message == "gradient" else (0, 1)
    sent = n_contested * n_senders * n_messages / max(n_images, 1)  # an image
    return {"forwards": sent * (n_steps + n_listeners), "backwards": sent * n_steps}


# ---- messages: (sender, images (n, C, H, W), classes (n, k), settings, generator) -> k perturbed batches, or 1 for all


def gradient_messages(sender: nn.Module, images: Tensor, classes: np.ndarray, settings, generator) -> list[Tensor]:
    """For each class, steps that raise the sender's log p of it, each an equal part of epsilon."""
    epsilon = settings.epsilon_255 / 255
    objectives = [attacks.log_probability(torch.from_numpy(labels).to(images.device)) for labels in classes.T]
    steps = settings.n_steps, epsilon / settings.n_steps
    return [attacks.ascend(sender, images, towards, epsilon, *steps, settings.precision) for towards in objectives]


def random_messages(sender: nn.Module, images: Tensor, classes: np.ndarray, settings, generator) -> list[Tensor]:
    """The placebo: random signs of equal size, the same for all classes, other ones for each sender."""
    return [attacks.random_signs(images, settings.epsilon_255 / 255, generator)]


MESSAGES = {"gradient": gradient_messages, "random-sign": random_messages}


def communicate(models: dict[str, nn.Module], splits: dict, settings, seed: int) -> Decision:
    """Let a group decide on every split by one of config.yaml's `protocols`.

    models: by name, on one device. splits: with "val", on which what is fitted is fitted, and "test".
    """
    return PROTOCOLS[settings.method](models, splits, settings, seed)


PROTOCOLS = {"persuasion": decide_by_persuasion}
