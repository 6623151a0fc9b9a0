"""A logistic regression on what several models say: stacked generalisation (Wolpert 1992; Ting & Witten 1999).

    log p = log softmax(mean log p of the members + b + sum over members of W_member log p_member)

W (K x K for each member) and b (K) start from 0, where this is `pooling.mean_logit`, and are held back by
penalty / 2 (|W|^2 + |b|^2) beside the mean NLL: the larger the penalty, the nearer to it. So what is learned is how far
the members deserve other weights than equal ones. The loss is strictly convex, and so has one minimum.

Left out: scikit-learn's LogisticRegression, which holds weights back towards 0, where nothing is known of the members.
"""

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax

from selfdoubt.communication.probabilities import log_probabilities, mean_logit


def stack(logits: list[np.ndarray], weights: np.ndarray) -> np.ndarray:
    """Return log probabilities (n, K) from the members' logits (n, K) each; weights: what `fit_weights` returned."""
    return log_softmax(mean_logit(logits) + _features(logits) @ weights, axis=1)


def fit_weights(logits: list[np.ndarray], labels: np.ndarray, penalty: float, start: np.ndarray | None = None):
    """Return the weights (L K + 1, K) of least penalised mean NLL; the last row is b. start: weights to begin with."""
    features, offset = _features(logits), mean_logit(logits)  # (n, L K + 1), (n, K)
    rows = np.arange(len(labels))
    # Members agree, so that features hardly differ: without new axes in which the loss is about as steep everywhere,
    # L-BFGS would take ten times as many steps. Each class's curvature is p (1 - p) of the features' squares or less.
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


_PRECISION = {"maxiter": 2000, "ftol": 1e-9, "gtol": 1e-5}


def cross_validate(
    logits: list[np.ndarray], labels: np.ndarray, penalties: list[float], n_folds: int
) -> tuple[float, np.ndarray]:
    """Return the penalty of least NLL in cross-validation, the largest of equals, and what it said of each image then.

    That is log probabilities (n, K), of each fold by weights that were fitted on the others: what can be expected of
    images that were not fitted on. Folds: the images of each class, in their order, are dealt out in turn.
    """
    penalties, fold = sorted(penalties, reverse=True), folds(labels, n_folds)
    answers = np.empty((len(penalties), *logits[0].shape))
    for held_out in range(n_folds):
        away, weights = fold == held_out, None
        inside, outside = ([member[rows] for member in logits] for rows in (~away, away))
        for i, penalty in enumerate(penalties):
            weights = fit_weights(inside, labels[~away], penalty, weights)  # from the last: fewer steps
            answers[i, away] = stack(outside, weights)
    best = int((-answers[:, np.arange(len(labels)), labels]).sum(1).argmin())
    return penalties[best], answers[best]


def folds(labels: np.ndarray, n_folds: int) -> np.ndarray:
    """Return the fold of each image, (n,) in 0 ... n_folds - 1; every class is spread as evenly as can be."""
    fold, dealt = np.empty(len(labels), np.int64), 0
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        fold[rows] = (dealt + np.arange(len(rows))) % n_folds  # goes on where the last class ended
        dealt += len(rows)
    return fold


def _features(logits: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([*map(log_probabilities, logits), np.ones((len(logits[0]), 1))], axis=1)
