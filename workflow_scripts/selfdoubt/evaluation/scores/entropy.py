"""The negative entropy of the softmax, sum p log p, natural logarithm."""

import numpy as np

from selfdoubt.evaluation.rankings import round_to_tie


def score(softmax):
    """Return the negative entropy, (n,), in [-log C, 0]."""
    products = np.einsum("nc,nc->n", softmax.below, softmax.shifted)  # 0 for the top class, whose shift is 0
    return round_to_tie(products * softmax.max_probability() - np.log1p(softmax.rest), least=0.0)
