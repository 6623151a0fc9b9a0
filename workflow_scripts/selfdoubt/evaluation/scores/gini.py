"""The sum of squared probabilities, g, ranked by -log(1 - g): the D_alpha of DOCTOR (Granese et al. 2021)."""

import numpy as np

from selfdoubt.evaluation.rankings import round_to_tie


def score(softmax):
    """Return -log(1 - g), (n,)."""
    missing = 2 * softmax.rest + np.maximum(softmax.rest**2 - softmax.squares, 0)  # in units of 1 / (1 + rest)^2
    with np.errstate(divide="ignore"):
        return round_to_tie(2 * np.log1p(softmax.rest) - np.log(missing))


def as_defined(ranked):
    """Return g, (n,), from -log(1 - g)."""
    return -np.expm1(-ranked)
