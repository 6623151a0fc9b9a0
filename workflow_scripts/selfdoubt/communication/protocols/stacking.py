"""Stacking: a logistic regression on the members' log probabilities (Wolpert 1992; Ting & Witten 1999).

    log p = log softmax(mean log p of the members + b + sum over members of W_member log p_member)

With W (K x K for each member) and b (K) of 0 this is `mean-logit`. They minimise the mean NLL plus
penalty / 2 (|W|^2 + |b|^2): the larger the penalty, the nearer to the mean logit. So what is learned is by how much the
members should be weighted other than equally. The loss is strictly convex, and so has one minimum.

Left out: scikit-learn's LogisticRegression, whose penalty draws to weights of 0, where the members are ignored.
"""

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax

from selfdoubt.communication import out_of_fold
from selfdoubt.communication.combining import Combined, Members
from selfdoubt.communication.probabilities import log_probabilities
from selfdoubt.communication.protocols.mean_logit import mean_logit

_PRECISION = {"maxiter": 2000, "ftol": 1e-9, "gtol": 1e-5}


def decide(members: Members, settings) -> Combined:
    """Decide by weights fitted on val, at the penalty chosen there by cross-validation; val out-of-fold.

    Raises Undefined if val has fewer images than folds, or logits that are not finite.
    """
    return out_of_fold.decide(members, settings, fit_weights, stack)


def stack(logits: list[np.ndarray], weights: np.ndarray) -> np.ndarray:
    """Return log probabilities (n, K) from the members' logits (n, K) each; weights: what `fit_weights` returned."""
    return log_softmax(mean_logit(logits) + _features(logits) @ weights, axis=1)


def fit_weights(logits: list[np.ndarray], labels: np.ndarray, penalty: float, start: np.ndarray | None = None):
    """Return the weights (L K + 1, K) of least penalised mean NLL; the last row is b. start: weights to begin with."""
    features, offset = _features(logits), mean_logit(logits)  # (n, L K + 1), (n, K)
    rows = np.arange(len(labels))
    # Members agree, so their features are nearly collinear: without new axes in which the loss is about as steep
    # everywhere, L-BFGS takes ten times as many steps. A class's curvature is at most p (1 - p) of the squares.
    squares, axes = np.linalg.eigh(features.T @ features / len(rows))
    scale = 1 / np.sqrt(0.1 * np.maximum(squares, 0) + penalty)
    shape, turned = (features.shape[1], offset.shape[1]), features @ (axes * scale)

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        moved = flat.reshape(shape)
        log_p = log_softmax(offset + turned @ moved, axis=1)
        error = np.exp(log_p)
        error[rows, labels] -= 1
        held = penalty * scale[:, None] ** 2 * moved
        gradient = turned.T @ error / len(rows) + held
        return (moved * held).sum() / 2 - log_p[rows, labels].mean(), gradient.ravel()

    begin = np.zeros(shape) if start is None else axes.T @ start / scale[:, None]
    found = minimize(loss, begin.ravel(), jac=True, method="L-BFGS-B", options=_PRECISION)
    return (axes * scale) @ found.x.reshape(shape)


def _features(logits: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([*map(log_probabilities, logits), np.ones((len(logits[0]), 1))], axis=1)
