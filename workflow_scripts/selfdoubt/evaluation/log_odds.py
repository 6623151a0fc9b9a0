"""The log-odds of the predicted class's softmax probability: the confidence `msp`, which does not saturate at 1.

Beside the scores, since enhancers and groups are chosen by it whatever scores the config names.
"""

import numpy as np

from selfdoubt.evaluation.rankings import round_to_tie
from selfdoubt.evaluation.softmax import Softmax


def log_odds(logits: "np.ndarray | Softmax", temperature: float = 1.0) -> np.ndarray:
    """Return z_c - logsumexp(the other logits) of logits / temperature, c the reported class, (n,).

    logits: (n, C), whose largest is then reported, or their softmax. They order rows as the class's probability does
    (Hendrycks & Gimpel 2017), without the ties of its rounding to 1.
    """
    softmax = (logits if isinstance(logits, Softmax) else Softmax(logits)).at(temperature)
    with np.errstate(divide="ignore"):
        found = -np.log(softmax.rest)
    tiny = np.flatnonzero(softmax.rest < 1e-290)  # the others underflow: sum them relative to the second
    if len(tiny):
        second = softmax.second[tiny, None]
        shifted = softmax.shifted[tiny]
        shifted[np.arange(len(tiny)), softmax.top_class[tiny]] = -np.inf
        found[tiny] = -second[:, 0] - np.log(np.exp(shifted - second).sum(-1))
    if len(moved := softmax.moved):  # among the others is the largest logit, so that their sum is at least 1
        found[moved] = softmax.shift - np.log1p(np.maximum(softmax.rest[moved] - np.exp(softmax.shift), 0))
    return round_to_tie(found)


def probability(odds: np.ndarray) -> np.ndarray:
    """Return the probabilities that have these log-odds, (n,)."""
    return 1 / (1 + np.exp(-odds))
