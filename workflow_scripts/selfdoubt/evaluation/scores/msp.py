"""Maximum softmax probability (Hendrycks & Gimpel 2017), ranked by its log-odds."""

from selfdoubt.evaluation.log_odds import log_odds, probability


def score(softmax):
    """Return the log-odds of the largest probability, (n,)."""
    return log_odds(softmax)


def probabilities(softmax):
    """Return the softmax whose probabilities calibration is about: as it is."""
    return softmax


def as_defined(ranked):
    """Return the largest probability, (n,), from its log-odds."""
    return probability(ranked)
