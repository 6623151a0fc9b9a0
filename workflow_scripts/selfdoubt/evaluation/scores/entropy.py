"""The negative entropy of the softmax, sum p log p, natural logarithm."""

import numpy as np

from selfdoubt.evaluation.rankings import without_noise


def score(softmax):
    """Return the negative entropy, (n,), in [-log C, 0]."""
    products = np.einsum("nc,nc->n", softmax.below, softmax.shifted)  # 0 for the top class, whose shift is 0
    return without_noise(products * softmax.max_probability() - np.log1p(softmax.rest), least=0.0)
