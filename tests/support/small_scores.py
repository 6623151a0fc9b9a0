"""Logits, and the scores of them."""

import numpy as np
from scipy.special import softmax

from selfdoubt.evaluation import scoring
from selfdoubt.evaluation.predictions import Predictions
from selfdoubt.evaluation.softmax import Softmax


def confidence(name, logits):
    """The confidences of a score that has nothing to fit."""
    return scoring.load(name).score(Softmax(logits))


def fitted(name, logits, labels, predicted=None):
    return scoring.fit(name, Predictions(logits, labels, predicted))


def as_defined(name, logits):
    """The score itself, from the number by which it is ranked."""
    return scoring.load(name).as_defined(confidence(name, logits))


def logits_of(replicate, n=20, n_classes=5, scale=3.0):
    return np.random.default_rng(replicate).normal(0, scale, (n, n_classes))


def val_of(replicate=0, n=400, n_classes=5):
    """Logits and labels drawn from their own softmax, so that they are calibrated at T = 1."""
    generator = np.random.default_rng(replicate)
    logits = generator.normal(0, 2, (n, n_classes))
    draws = generator.random((n, 1))
    return logits, (softmax(logits, -1).cumsum(-1) < draws).sum(-1).clip(max=n_classes - 1)
