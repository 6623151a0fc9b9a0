"""Asymmetry: a logistic model of how predictions change under short attacks, and of the clean logits.

A step towards the predicted class makes incorrect predictions more confident too. What may separate them is the
asymmetry: how much confidence is gained towards the prediction, how much is lost towards the runner-up, and how soon.
`clean-logistic` is the control: the same model of the clean logits alone.
"""

from types import SimpleNamespace

import numpy as np
import torch
from torch import nn

from selfdoubt.attacks import gradients
from selfdoubt.enhancers import correctness, signal_logistic
from selfdoubt.enhancers.batches import Batch, EnhancedBatch

_SIGNALS = ("confidence_gain", "confidence_loss", "steps_to_flip", "gradient_norm")


def fit(model: nn.Module, val, candidates: list[SimpleNamespace], parts: list[np.ndarray], seed: int) -> list[list]:
    """Return, for each candidate, the logistic model fitted on each of the parts (row numbers) of `val`."""
    return signal_logistic.fit(model, val, candidates, parts, seed, signals_of, features_of)


def enhance(batch: Batch, settings, generator: np.random.Generator, fitted: correctness.Logistic) -> EnhancedBatch:
    """Write the model's probability of correctness into the clean logits; the predicted class is kept.

    The images shown are those after the step towards the predicted class.
    """
    return signal_logistic.enhance(batch, settings, generator, fitted, signals_of, features_of)


def signals_of(batch: Batch, settings, generator: np.random.Generator) -> signal_logistic.Signals:
    """Attack a batch by one step towards the prediction, and by n_steps towards the runner-up, both within epsilon.

    confidence_gain, confidence_loss: differences of the prediction's log-odds, which the first attack raises and the
    second lowers. steps_to_flip: the steps towards the runner-up after which the predicted class is another one,
    n_steps + 1 where it never is. gradient_norm: Euclidean, of the log-odds with respect to the pixels in [0, 1].
    Costs n_steps + 3 forwards and n_steps + 1 backwards.
    """
    model, images, epsilon = batch.model, batch.images, settings.epsilon_255 / 255
    gradient, logits = gradients.input_gradient(model, images, gradients.top_log_odds())
    predicted, runner_up = logits.topk(2).indices.T
    confidence = gradients.log_odds(predicted)
    before = confidence(logits)
    towards = gradients.project(images + epsilon * gradient.sign(), images, epsilon)
    away, n_steps_taken = images, torch.full_like(before, settings.n_steps + 1)
    for i in range(settings.n_steps):
        slope, here = gradients.input_gradient(model, away, gradients.log_odds(runner_up))
        n_steps_taken[(here.argmax(1) != predicted) & (n_steps_taken > i)] = i
        away = gradients.project(away + epsilon / settings.n_steps * slope.sign(), images, epsilon)
    at_last = batch.logits(away)
    n_steps_taken[(at_last.argmax(1) != predicted) & (n_steps_taken > settings.n_steps)] = settings.n_steps
    changes = confidence(batch.logits(towards)) - before, before - confidence(at_last)
    columns = dict(zip(_SIGNALS, (*changes, n_steps_taken, gradient.flatten(1).norm(dim=1)), strict=True))
    return signal_logistic.Signals(logits, towards, columns)


def features_of(columns: dict[str, np.ndarray]) -> list[np.ndarray]:
    """Return the signals, of the norm its logarithm."""
    gain, loss, steps, norm = (columns[name] for name in _SIGNALS)
    return [gain, loss, steps, np.log(np.maximum(norm, 1e-12))]
