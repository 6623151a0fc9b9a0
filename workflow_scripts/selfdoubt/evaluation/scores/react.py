"""The negative energy with features clipped at the 90th percentile of all training features (Sun et al. 2021)."""

import numpy as np

from selfdoubt.evaluation.softmax import Softmax

COLUMN = "react"
WITHOUT_COLUMN = "it is made of clean images, for models that keep features"
PERCENT = 90


def fit_features(train) -> dict:
    """Return the bound."""
    return {"bound": float(np.percentile(train.features, PERCENT))}


def from_features(sample, bound: float) -> np.ndarray:
    """Return logsumexp of the logits of the bounded features, (n,)."""
    softmax = Softmax(np.minimum(sample.features, bound) @ sample.head.weight.T + sample.head.bias)
    return softmax.top + np.log1p(softmax.rest)
