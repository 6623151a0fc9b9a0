"""How a group of models decides when its members speak to each other.

A *message* from a sender is a perturbation that makes it surer of a class; a listener answers on the perturbed image,
and *gains* so much log p of that class (`messages`). Persuasion adds to the mean's log probabilities what others
gained, relative to the other candidates of the image, times a weight fitted on `val`; one-way does so with one sender
and one listener, whose own log probabilities stand in the mean's place. Messages are sent only where that prior is
contested; elsewhere, and with weight 0, the decision is the prior itself.

A weight below 0 decides against the class that gains more. It may well be the best: the class with less prior has more
to gain. `gains_relative_to` holds a gain against what random signs of the same size gain, or against the sender's own.

Left out: a sender's message to itself in persuasion, which is reported but decides nothing; one-way takes a model as
its own listener, where that is what is asked.
"""

from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from torch import nn

from selfdoubt.communication.dialogue import converse
from selfdoubt.communication.messages import Messages, persuade, persuasion_rows
from selfdoubt.communication.probabilities import log_probabilities, mean_probability
from selfdoubt.models import inference
from selfdoubt.runtime.errors import UserError

_WEIGHTS = (-10.0, 10.0)
LEAST_OWN_GAIN = 0.01  # nats: what counts as the senders' own gain where it is less, as of those certain already


class Decision(NamedTuple):
    """What a group says of every split."""

    logits: dict[str, np.ndarray]  # float32 (n, K): log probabilities
    weight: float | None  # of the gains; None where none is fitted
    persuasion: list[dict]  # rows of SCHEMAS["persuasion"], of the split "test"
    costs: dict[str, float]  # forwards and backwards of one image, mean over the split "test"
    rounds: float | None = None  # of a dialogue, mean over the images of "test" about which members talked


def _ask(models: dict[str, nn.Module], split) -> dict[str, np.ndarray]:
    return {name: inference.predict_logits(model, split.images) for name, model in models.items()}


def decide_by_persuasion(models: dict[str, nn.Module], splits: dict, settings, seed: int) -> Decision:
    """Decide by the mean of the members' probabilities and what others gained from each one's messages."""
    if len(models) < 2:
        raise UserError(f"groups: nobody hears '{', '.join(models)}'; give a group that persuades two members or more")
    return _decide_by_gains(models, [*models], [*models], splits, settings, seed)


def decide_by_one_way(models: dict[str, nn.Module], splits: dict, settings, seed: int) -> Decision:
    """Decide by the listener's probabilities and what it gained from the sender's messages."""
    return _decide_by_gains(models, [settings.sender], [settings.listener], splits, settings, seed)


def _decide_by_gains(models, senders: list[str], listeners: list[str], splits, settings, seed: int) -> Decision:
    """Decide by the listeners' mean probability and their gains, weighted as is best on "val"."""
    clean = {name: _ask(models, split) for name, split in splits.items()}
    log_prior = {name: mean_probability([logits[who] for who in listeners]) for name, logits in clean.items()}
    heard = {
        name: persuade(models, senders, split, clean[name], log_prior[name], settings, (seed, name))
        for name, split in splits.items()
    }
    counted = _counted([*models], senders, listeners)
    own = np.array([[sender == listener for listener in models] for sender in senders])
    evidence = {}
    for name in splits:
        gains = compared_gains(heard[name], counted, own, settings.gains_relative_to)
        evidence[name] = relative_gains(heard[name], gains, *log_prior[name].shape)
    weight = fit_weight(log_prior["val"], evidence["val"], splits["val"].labels)
    logits = {name: log_probabilities(log_prior[name] + weight * evidence[name]).astype(np.float32) for name in splits}
    answers = np.stack([said.argmax(1) for said in clean["test"].values()], axis=1)
    rows = persuasion_rows(heard["test"], splits["test"].labels, answers, senders, [*models])
    costs = heard["test"].costs
    return Decision(logits, weight, rows, {**costs, "forwards": costs["forwards"] + len(models)})


def _counted(models: list[str], senders: list[str], listeners: list[str]) -> np.ndarray:
    """Return (S, L) bool: whose hearing whom decides; a model hears itself only where there is no other."""
    alone = senders == listeners and len(senders) == 1
    return np.array([[name in listeners and (name != sender or alone) for name in models] for sender in senders])


def compared_gains(messages: Messages, counted: np.ndarray, own: np.ndarray, relative_to: str) -> np.ndarray:
    """Return what listeners gained in the mean, (m, k), as it is compared between classes.

    counted: (S, L) bool, the gains that are meant. own: (S, L) bool, those of senders from their own messages.
    relative_to: none; random-sign, of which the mean gain is taken away; or sender, by whose mean own gain it is
    divided: the share of what a message does to its sender that it does to others.
    """
    gains = messages.gains[..., counted].mean(-1)
    if relative_to == "random-sign":
        return gains - messages.of_random[..., counted].mean(-1)
    if relative_to == "sender":
        return gains / np.maximum(messages.gains[..., own].mean(-1), LEAST_OWN_GAIN)
    return gains


def relative_gains(messages: Messages, gains: np.ndarray, n_images: int, n_classes: int) -> np.ndarray:
    """Return how much more was gained from the messages for a class than from those for a mean candidate.

    gains: (m, k). Returns float64 (n_images, n_classes); 0 for classes that nobody argued for.
    """
    relative = np.zeros((n_images, n_classes))
    relative[messages.images[:, None], messages.candidates] = gains - gains.mean(1, keepdims=True)
    return relative


def fit_weight(log_prior: np.ndarray, relative: np.ndarray, labels: np.ndarray) -> float:
    """Return the weight in [-10, 10] of the relative gains (n, K) that minimises the negative log likelihood.

    The loss is convex in the weight. Images without messages do not move it; if there are no others, it is 0.
    """
    rows = np.flatnonzero(relative.any(1))
    if len(rows) == 0:
        return 0.0
    log_prior, relative, labels = log_prior[rows], relative[rows], labels[rows]

    def loss(weight: float) -> float:
        return -log_softmax(log_prior + weight * relative, axis=1)[np.arange(len(rows)), labels].mean()

    return float(minimize_scalar(loss, bounds=_WEIGHTS, method="bounded").x)


def decide_by_dialogue(models: dict[str, nn.Module], splits: dict, settings, seed: int) -> Decision:
    """Decide by the mean of all that members answer while they talk; nothing is fitted."""
    talks = {
        name: converse(models, split, _ask(models, split), settings, (seed, name)) for name, split in splits.items()
    }
    logits = {name: talk.log_mean.astype(np.float32) for name, talk in talks.items()}
    costs, rounds = talks["test"].costs, talks["test"].n_rounds
    mean_rounds = float(rounds[rounds > 0].mean()) if rounds.any() else None
    return Decision(logits, None, [], {**costs, "forwards": costs["forwards"] + len(models)}, mean_rounds)


def communicate(models: dict[str, nn.Module], splits: dict, settings, seed: int) -> Decision:
    """Let a group decide on every split by one of config.yaml's `protocols`.

    models: by name, on one device. splits: with "val", on which what is fitted is fitted, and "test".
    """
    return PROTOCOLS[settings.method](models, splits, settings, seed)


PROTOCOLS = {"persuasion": decide_by_persuasion, "one-way": decide_by_one_way, "dialogue": decide_by_dialogue}
