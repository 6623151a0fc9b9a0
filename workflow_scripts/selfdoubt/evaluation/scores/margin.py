"""The probability of the predicted class minus the largest of the others, m, ranked by -log(1 - m).

That logarithm does not saturate at 1. m is below 0 where the reported class is not the top one.
"""

import numpy as np

from selfdoubt.evaluation.rankings import round_to_tie


def score(softmax):
    """Return -log(1 - m), (n,)."""
    missing = softmax.rest + np.exp(softmax.second)  # (1 + rest) (1 - m)
    if len(moved := softmax.moved):
        missing[moved] = 2 + softmax.rest[moved] - np.exp(softmax.shift)
    with np.errstate(divide="ignore"):
        return round_to_tie(np.log1p(softmax.rest) - np.log(missing))


def as_defined(ranked):
    """Return m, (n,), from -log(1 - m)."""
    return -np.expm1(-ranked)
