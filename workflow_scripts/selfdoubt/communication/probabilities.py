"""Log probabilities, float64 (n, K), in which groups decide: the exponentials of each row sum to 1."""

import numpy as np
from scipy.special import log_softmax, logsumexp


def log_probabilities(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Return log softmax of logits (n, K) / temperature, in float64."""
    return log_softmax(logits.astype(np.float64) / temperature, axis=1)


def mean_probability(logits: list[np.ndarray]) -> np.ndarray:
    """Return the log of the members' mean softmax, from logits (n, K) of each (the linear opinion pool, Stone 1961)."""
    each = [log_probabilities(member) for member in logits]  # L x (n, K)
    return logsumexp(each, axis=0) - np.log(len(each))
