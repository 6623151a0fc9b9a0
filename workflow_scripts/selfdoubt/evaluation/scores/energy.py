"""The negative energy at temperature 1, logsumexp of the logits (Liu et al. 2020)."""

import numpy as np

from selfdoubt.evaluation.rankings import round_to_tie

UNDEFINED_FOR_PROBABILITIES = "the logits are logarithms of probabilities, whose energy is 0"


def score(softmax):
    """Return logsumexp of the logits, (n,)."""
    return round_to_tie(softmax.top + np.log1p(softmax.rest))
