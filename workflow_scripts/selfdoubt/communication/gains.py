"""Deciding by the gains of messages: prior log probabilities plus weighted relative gains.

The prior is the mean probability of the listeners. Where it is contested, messages are sent (`exchange`); what their
listeners gain, relative to the other candidate classes of the image, is added to the prior's log probabilities, times a
weight fitted on val. Elsewhere, and with weight 0, the decision is the prior itself.

A weight below 0 decides against the class that gains more. It may well be the best: the class of lower prior has more
to gain. `gains_relative_to` takes gains relative to those by random signs of the same size, or to the sender's own.

Left out: a sender's message to itself where there are other listeners; it is reported but decides nothing.
"""

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from selfdoubt.communication.decisions import Decision, predict_clean
from selfdoubt.communication.exchange import Messages, exchange, persuasion_rows
from selfdoubt.communication.folds import stratified_folds
from selfdoubt.communication.kept_gains import KeptGains
from selfdoubt.communication.probabilities import log_probabilities, mean_probability

_WEIGHTS = (-10.0, 10.0)
_N_FOLDS = 5  # of val
_LEAST_OWN_GAIN = 0.01  # nats: lower own gains of senders count as so much, such as those of saturated predictions


def decide(models, senders: list[str], listeners: list[str], splits, settings, seed: int) -> Decision:
    """Decide by the listeners' mean probability and their gains, with the weight of least NLL on "val".

    Val itself is decided with weights that were fitted without its fold, as by all that is fitted on it.
    Arguments as of a protocol's `decide`; senders, listeners: names of models.
    """
    clean = {name: predict_clean(models, split) for name, split in splits.items()}
    log_prior = {name: mean_probability([logits[who] for who in listeners]) for name, logits in clean.items()}
    messages = {
        name: exchange(models, senders, split, clean[name], log_prior[name], settings, (seed, name))
        for name, split in splits.items()
    }
    counted = _counted([*models], senders, listeners)
    own = np.array([[sender == listener for listener in models] for sender in senders])
    evidence = {}
    for name in splits:
        gains = mean_gains(messages[name], counted, own, settings.gains_relative_to)
        evidence[name] = relative_gains(messages[name], gains, *log_prior[name].shape)
    weight = fit_weight(log_prior["val"], evidence["val"], splits["val"].labels)
    weights = dict.fromkeys(splits, weight)
    weights["val"] = weights_out_of_fold(log_prior["val"], evidence["val"], splits["val"].labels)
    logits = {
        name: log_probabilities(log_prior[name] + weights[name] * evidence[name]).astype(np.float32) for name in splits
    }
    predicted = np.stack([of_model.argmax(1) for of_model in clean["test"].values()], axis=1)
    rows = persuasion_rows(messages["test"], splits["test"].labels, predicted, senders, [*models])
    costs = messages["test"].costs
    costs = {**costs, "forwards": costs["forwards"] + len(models)}
    kept = {name: kept_of(messages[name], counted, own, settings.gains_relative_to) for name in ("val", "test")}
    return Decision(logits, weight, rows, costs, kept=kept)


def kept_of(messages: Messages, counted: np.ndarray, own: np.ndarray, relative_to: str) -> KeptGains:
    """Return the gains that count, of each pair of sender and listener, of the two most probable classes.

    Arguments as of `mean_gains`.
    """
    gains = pair_gains(messages, own, relative_to)[:, :2, counted]
    return KeptGains(messages.images, messages.candidates[:, :2], gains)


def _counted(models: list[str], senders: list[str], listeners: list[str]) -> np.ndarray:
    """Return (S, L) bool: which pairs' gains decide; a model's own message counts only where there is no other."""
    alone = senders == listeners and len(senders) == 1
    return np.array([[name in listeners and (name != sender or alone) for name in models] for sender in senders])


def mean_gains(messages: Messages, counted: np.ndarray, own: np.ndarray, relative_to: str) -> np.ndarray:
    """Return the mean gain of the listeners, (m, k), as it is compared between classes.

    counted: (S, L) bool, the gains that are averaged. own: (S, L) bool, those of senders by their own messages.
    relative_to: none; random-sign, whose mean gain is subtracted; or sender, by whose mean own gain it is divided:
    the fraction of a message's effect that transfers from its sender to others.
    """
    gains = messages.gains[..., counted].mean(-1)
    if relative_to == "random-sign":
        return gains - messages.of_random[..., counted].mean(-1)
    if relative_to == "sender":
        return gains / np.maximum(messages.gains[..., own].mean(-1), _LEAST_OWN_GAIN)
    return gains


def pair_gains(messages: Messages, own: np.ndarray, relative_to: str) -> np.ndarray:
    """Return the gain of each pair of sender and listener, (m, k, S, L); arguments as of `mean_gains`."""
    if relative_to == "random-sign":
        return messages.gains - messages.of_random
    if relative_to == "sender":
        return messages.gains / np.maximum(messages.gains[..., own].mean(-1), _LEAST_OWN_GAIN)[..., None, None]
    return messages.gains


def relative_gains(messages: Messages, gains: np.ndarray, n_images: int, n_classes: int) -> np.ndarray:
    """Return gains minus their mean over the candidates of the image, for every image and class of a split.

    gains: (m, k). Returns float64 (n_images, n_classes); 0 for classes without a message.
    """
    relative = np.zeros((n_images, n_classes))
    relative[messages.images[:, None], messages.candidates] = gains - gains.mean(1, keepdims=True)
    return relative


def weights_out_of_fold(log_prior: np.ndarray, relative: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return for each image of val the weight that is fitted without its fold, (n, 1); arguments as of `fit_weight`."""
    fold, found = stratified_folds(labels, _N_FOLDS), np.empty((len(labels), 1))
    for held_out in range(_N_FOLDS):
        inside = fold != held_out
        found[~inside] = fit_weight(log_prior[inside], relative[inside], labels[inside])
    return found


def fit_weight(log_prior: np.ndarray, relative: np.ndarray, labels: np.ndarray) -> float:
    """Return the weight in [-10, 10] of the relative gains (n, K) that minimises the negative log likelihood.

    The loss is convex in the weight. Images without messages do not change it; if there are no others, it is 0.
    """
    rows = np.flatnonzero(relative.any(1))
    if len(rows) == 0:
        return 0.0
    log_prior, relative, labels = log_prior[rows], relative[rows], labels[rows]

    def loss(weight: float) -> float:
        return -log_softmax(log_prior + weight * relative, axis=1)[np.arange(len(rows)), labels].mean()

    return float(minimize_scalar(loss, bounds=_WEIGHTS, method="bounded").x)
