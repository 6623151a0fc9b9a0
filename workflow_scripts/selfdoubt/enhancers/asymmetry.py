"""Confidence from how a model yields to short attacks, and the same from its clean answer alone.

A step towards the prediction makes a model surer of wrong answers too, so what could tell is the asymmetry: how much
is gained towards the prediction, how much is lost towards the runner-up and how soon. A logistic model, fitted on
`val`, turns these signals and the clean logits into the chance of being right; the control has the clean logits only.
"""

from functools import partial
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import torch
from scipy.special import expit, log_softmax
from torch import Tensor, nn

from selfdoubt.attacks import gradients
from selfdoubt.enhancers.batches import Answer, Batch, batches_of
from selfdoubt.evaluation.log_odds import log_odds
from selfdoubt.runtime.errors import UserError

_SIGNALS = ("confidence_gain", "confidence_loss", "steps_to_flip", "gradient_norm")
_BEND = 0.02  # above 1 / K: chances below it are pressed together


class Signals(NamedTuple):
    """What short attacks show of a batch of n images."""

    logits: Tensor  # (n, K), clean
    images: Tensor  # (n, C, H, W), after the step towards the prediction
    columns: dict[str, Tensor]  # of _SIGNALS, float32 (n,)


def signals_of(batch: Batch, settings) -> Signals:
    """Attack a batch by one step towards the prediction, and by n_steps towards the runner-up, both within epsilon.

    confidence_gain, confidence_loss: of the log-odds of the prediction. steps_to_flip: the steps towards the runner-up
    after which the label is another one, n_steps + 1 where it never is. gradient_norm: Euclidean, of the log-odds with
    respect to the pixels in [0, 1]. n_steps + 3 forwards and n_steps + 1 backwards.
    """
    model, images, epsilon = batch.model, batch.images, settings.epsilon_255 / 255
    gradient, logits = gradients.input_gradient(model, images, gradients.top_log_odds())
    predicted, runner_up = logits.topk(2).indices.T
    surer = gradients.log_odds(predicted)
    before = surer(logits)
    towards = gradients.project(images + epsilon * gradient.sign(), images, epsilon)
    away, n_steps_taken = images, torch.full_like(before, settings.n_steps + 1)
    for i in range(settings.n_steps):
        slope, here = gradients.input_gradient(model, away, gradients.log_odds(runner_up))
        n_steps_taken[(here.argmax(1) != predicted) & (n_steps_taken > i)] = i
        away = gradients.project(away + epsilon / settings.n_steps * slope.sign(), images, epsilon)
    at_last = batch.ask(away)
    n_steps_taken[(at_last.argmax(1) != predicted) & (n_steps_taken > settings.n_steps)] = settings.n_steps
    changes = surer(batch.ask(towards)) - before, before - surer(at_last)
    columns = dict(zip(_SIGNALS, (*changes, n_steps_taken, gradient.flatten(1).norm(dim=1)), strict=True))
    return Signals(logits, towards, columns)


# ---- the logistic model ----


def clean_features(logits: np.ndarray) -> np.ndarray:
    """Return log p of each class, which class is the prediction, and its log-odds: float64 (n, 2 K + 1)."""
    predicted = np.eye(logits.shape[1])[logits.argmax(1)]
    return np.hstack([log_softmax(logits.astype(np.float64), axis=1), predicted, log_odds(logits)[:, None]])


def signal_features(columns: dict[str, np.ndarray]) -> np.ndarray:
    """Return the signals as the logistic model takes them, the norm as its logarithm: float64 (n, 4)."""
    gain, loss, steps, norm = (columns[name].astype(np.float64) for name in _SIGNALS)
    return np.stack([gain, loss, steps, np.log(np.maximum(norm, 1e-12))], axis=1)


class Logistic:
    """Logistic regression on standardised features: mean log loss + l2_penalty / 2 * |weights|^2, intercept free."""

    def __init__(self, features: np.ndarray, right: np.ndarray, l2_penalty: float):
        """features: (n, d). right: (n,) bool. Raises UserError if all or none is right."""
        from sklearn.linear_model import LogisticRegression

        if right.all() or not right.any():
            which = "right" if right.all() else "wrong"
            place = "every answer to val, or to all but a fold of it,"
            raise UserError(f"enhancers: {place} is {which}, so there is nothing to tell apart; remove it")
        self._mean, deviation = features.mean(0), features.std(0)
        self._deviation = np.where(deviation > 0, deviation, 1.0)
        strength = 1 / (len(right) * l2_penalty)  # scikit-learn's C is of the summed loss
        model = LogisticRegression(C=strength, solver="newton-cholesky", tol=1e-8, max_iter=200)
        model.fit(self._standard(features), right)
        self._weights, self._intercept = model.coef_[0], model.intercept_[0]

    def log_odds(self, features: np.ndarray) -> np.ndarray:
        """Return the log-odds of being right, (n,)."""
        return self._standard(features) @ self._weights + self._intercept

    def _standard(self, features: np.ndarray) -> np.ndarray:
        return (features - self._mean) / self._deviation


def with_confidence(logits: np.ndarray, log_odds: np.ndarray) -> np.ndarray:
    """Return log probabilities whose largest is the prediction's, and whose msp are the log-odds: float32 (n, K).

    logits: (n, K), clean. log_odds: (n,) of being right. The other classes share what is left as in the clean softmax,
    drawn towards equal shares where one would come above the prediction. The largest of K probabilities is above 1 / K,
    so with d = 0.02 chances p below b = 1 / K + d become 1 / K + d^2 / (d + b - p), which keeps their order.
    """
    n_classes, rows, predicted = logits.shape[1], np.arange(len(logits)), logits.argmax(1)
    bend, chance = 1 / n_classes + _BEND, expit(log_odds)
    pressed = 1 / n_classes + _BEND**2 / (_BEND + np.maximum(bend - chance, 0))
    odds = np.where(chance < bend, pressed / (1 - pressed), np.exp(log_odds))
    others = logits.astype(np.float64)
    others[rows, predicted] = -np.inf
    shares = np.exp(log_softmax(others, axis=1))  # (n, K), 0 for the prediction
    equal, largest = 1 / (n_classes - 1), shares.max(1)
    room = odds * (1 - 1e-6)  # so that float32 makes no tie of it
    with np.errstate(divide="ignore", invalid="ignore"):
        kept = np.where(largest > room, (room - equal) / (largest - equal), 1.0)[:, None]
    shares = kept * shares + (1 - kept) * equal
    shares[rows, predicted] = odds
    log_shares = np.log(np.maximum(shares, np.finfo(np.float32).tiny))
    return (log_shares - np.log1p(odds)[:, None]).astype(np.float32)


# ---- the methods ----


def fit(model: nn.Module, val, found: list[SimpleNamespace], parts: list[np.ndarray], seed: int) -> list[list]:
    """Return, for each candidate, its logistic model of signals and clean logits, fitted on each part of `val`."""
    seen = {}  # candidates of one attack share its signals

    def features(settings) -> tuple[np.ndarray, np.ndarray]:
        attack = settings.epsilon_255, settings.n_steps
        if attack not in seen:
            seen[attack] = _gathered(model, val, settings)
        return seen[attack]

    return [_fitted(_answer, *features(settings), val.labels, settings, parts) for settings in found]


def fit_clean(model: nn.Module, val, found: list[SimpleNamespace], parts: list[np.ndarray], seed: int) -> list[list]:
    """Return, for each candidate, its logistic model of the clean logits alone, fitted on each part of `val`."""
    asked = [batch.ask(batch.images).cpu().numpy() for batch in batches_of(model, val.images, val.labels)]
    logits = np.concatenate(asked)
    features = clean_features(logits)
    return [_fitted(_clean_answer, features, logits, val.labels, settings, parts) for settings in found]


def _fitted(answer, features, logits, labels, settings, parts: list[np.ndarray]) -> list[partial]:
    right = logits.argmax(1) == labels
    models = [Logistic(features[rows], right[rows], settings.l2_penalty) for rows in parts]
    return [partial(answer, model, settings) for model in models]


def _gathered(model: nn.Module, val, settings) -> tuple[np.ndarray, np.ndarray]:
    """Return the features and the clean logits of all of `val`."""
    parts = [_features(signals_of(batch, settings)) for batch in batches_of(model, val.images, val.labels)]
    features, logits = map(np.concatenate, zip(*parts, strict=True))
    return features, logits


def _features(signals: Signals) -> tuple[np.ndarray, np.ndarray]:
    logits = signals.logits.cpu().numpy()
    columns = {name: values.cpu().numpy() for name, values in signals.columns.items()}
    return np.hstack([clean_features(logits), signal_features(columns)]), logits


def _answer(logistic: Logistic, settings, batch: Batch, generator: np.random.Generator) -> Answer:
    attack = settings.epsilon_255, settings.n_steps
    signals = batch.once(("signals", *attack), lambda: signals_of(batch, settings))
    features, logits = _features(signals)
    told = torch.from_numpy(with_confidence(logits, logistic.log_odds(features))).to(batch.images.device)
    return Answer(told, signals.images, signals.logits.argmax(1), signals.columns)


def _clean_answer(logistic: Logistic, settings, batch: Batch, generator: np.random.Generator) -> Answer:
    clean = batch.once(("clean",), lambda: batch.ask(batch.images))
    logits = clean.cpu().numpy()
    told = torch.from_numpy(with_confidence(logits, logistic.log_odds(clean_features(logits))))
    return Answer(told.to(clean.device), batch.images, clean.argmax(1))
