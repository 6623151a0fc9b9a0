"""Log probabilities, float64 (n, K), in which groups decide: the exponentials of each row sum to 1."""

from collections.abc import Callable

import numpy as np
from scipy.special import log_softmax, logsumexp

_BLOCK_NUMBERS = 2**20  # logits of a member worked on at a time


def log_probabilities(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Return log softmax of logits (n, K) / temperature, in float64."""
    return log_softmax(logits.astype(np.float64) / temperature, axis=1)


def mean_probability(logits: list[np.ndarray]) -> np.ndarray:
    """Return the log of the members' mean softmax, from logits (n, K) of each (the linear opinion pool, Stone 1961)."""
    return in_blocks(_mean_probability, logits)


def _mean_probability(logits: list[np.ndarray]) -> np.ndarray:
    each = [log_probabilities(member) for member in logits]  # L x (n, K)
    return logsumexp(each, axis=0) - np.log(len(each))


def in_blocks(decide: Callable, logits: list[np.ndarray]) -> np.ndarray:
    """Return decide(logits), float64 (n, K), for a function of each row alone, computed some rows at a time.

    Of 50,000 images of 1,000 classes the intermediate arrays would take 10 GB.
    """
    found = np.empty(logits[0].shape)
    step = max(1, _BLOCK_NUMBERS // found.shape[1])
    for start in range(0, len(found), step):
        found[start : start + step] = decide([member[start : start + step] for member in logits])
    return found
