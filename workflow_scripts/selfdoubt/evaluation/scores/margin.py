"""The largest minus the second largest probability, m, ranked by -log(1 - m), which does not saturate at 1."""

import numpy as np

from selfdoubt.evaluation.rankings import without_noise


def score(softmax):
    """Return -log(1 - m), (n,)."""
    with np.errstate(divide="ignore"):
        return without_noise(np.log1p(softmax.rest) - np.log(softmax.rest + np.exp(softmax.second)))


def as_defined(ranked):
    """Return m, (n,), from -log(1 - m)."""
    return -np.expm1(-ranked)
