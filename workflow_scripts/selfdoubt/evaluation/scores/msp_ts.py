"""Softmax probability of the predicted class after temperature scaling (Guo et al. 2017), ranked by its log-odds."""

from selfdoubt.evaluation.log_odds import log_odds, probability
from selfdoubt.evaluation.softmax import fit_temperature


def fit(val) -> dict:
    """Return the temperature of lowest NLL on `val`; raises Undefined where none can be fitted."""
    return {"temperature": fit_temperature(val.logits, val.labels)}


def score(softmax, temperature: float):
    """Return the log-odds of the reported class's probability at the temperature, (n,)."""
    return log_odds(softmax, temperature)


def probabilities(softmax, temperature: float):
    """Return the softmax at the temperature."""
    return softmax.at(temperature)


def as_defined(ranked):
    """Return the probability, (n,), from its log-odds."""
    return probability(ranked)
