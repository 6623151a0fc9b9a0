"""Softmax probability of the predicted class (Hendrycks & Gimpel 2017), ranked by its log-odds.

This probability is the largest one, unless a variant reports another class than that of its largest logit.
"""

from selfdoubt.evaluation.log_odds import log_odds, probability


def score(softmax):
    """Return the log-odds of the reported class's probability, (n,)."""
    return log_odds(softmax)


def probabilities(softmax):
    """Return the softmax whose probabilities calibration is about: as it is."""
    return softmax


def as_defined(ranked):
    """Return the probability, (n,), from its log-odds."""
    return probability(ranked)
