"""Msp, lowered where the sum of the absolute features is small (Xia & Bouganis 2022).

-(1 - p) (1 + exp(-b (s - a))), s the L1 norm, ranked by -log of its magnitude. As in the paper, a is three deviations
of the training images' s below their mean, b one over the deviation.
"""

import numpy as np

from selfdoubt.evaluation.log_odds import log_odds
from selfdoubt.evaluation.softmax import Softmax

COLUMN = "sirc"
WITHOUT_COLUMN = "it is made of clean images, for models that keep features"


def fit_features(train) -> dict:
    """Return a and b."""
    size = np.abs(train.features).sum(1)
    deviation = size.std()
    return {"a": size.mean() - 3 * deviation, "b": 1 / deviation if deviation else 0.0}


def from_features(sample, a: float, b: float) -> np.ndarray:
    """Return -log(1 - p) - log(1 + exp(-b (s - a))), (n,)."""
    softmax = Softmax(sample.logits)
    ranked = log_odds(softmax) + np.log1p(softmax.rest)
    return ranked - np.logaddexp(0, -b * (np.abs(sample.features).sum(1) - a))
