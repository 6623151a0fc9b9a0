"""Logistic regression with an offset and an L2 penalty, as a fit of `out_of_fold`."""

import numpy as np
from scipy.special import expit, log_expit

_STEPS, _SLOPE, _HALVINGS = 100, 1e-8, 30


def fit(arrays: list[np.ndarray], labels: np.ndarray, penalty: float, start: np.ndarray | None = None) -> np.ndarray:
    """Return the weights (p,) of least mean NLL + penalty / 2 |w|^2, by Newton's steps, halved where they go too far.

    arrays: offset (n,) and features (n, p). labels: 0 where the first class is correct, else 1.
    """
    offset, features = arrays
    signs = 1 - 2 * labels

    def loss(weights: np.ndarray) -> float:
        return -log_expit(signs * (offset + features @ weights)).mean() + penalty / 2 * weights @ weights

    weights = np.zeros(features.shape[1]) if start is None else start
    for _ in range(_STEPS):
        p = expit(offset + features @ weights)
        slope = features.T @ (p - (labels == 0)) / len(labels) + penalty * weights
        if np.abs(slope).max() < _SLOPE:
            break
        curvature = (features * (p * (1 - p))[:, None]).T @ features / len(labels) + penalty * np.eye(len(weights))
        step, before = np.linalg.solve(curvature, slope), loss(weights)
        for _ in range(_HALVINGS):
            if loss(weights - step) <= before:
                break
            step = step / 2
        weights = weights - step
    return weights


def predict(arrays: list[np.ndarray], weights: np.ndarray) -> np.ndarray:
    """Return log probabilities (n, 2) of the first and of the second class."""
    odds = arrays[0] + arrays[1] @ weights
    return log_expit(np.stack([odds, -odds], axis=1))
