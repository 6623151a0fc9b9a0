"""Fits of a few numbers to the members' predictions: a weight a member, a bias a class.

    log p = log softmax(offset + sum over members of v_member f_member + b)

v (a number a member) and b (a number a class) minimise the mean NLL plus penalty / 2 (|v|^2 + |b|^2). The loss is
strictly convex, and so has one minimum. With v and b of 0 the decision is the offset.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax

from selfdoubt.communication.probabilities import in_blocks

_PRECISION = {"maxiter": 2000, "ftol": 1e-12, "gtol": 1e-6}


def fit(
    offset: np.ndarray, features: np.ndarray, labels: np.ndarray, penalty: float, start: np.ndarray | None = None
) -> np.ndarray:
    """Return v and b, one after the other, (L + K,).

    offset: (n, K). features: (L, n, K); L may be 0, where only a bias is fitted. start: v and b to begin with.
    """
    rows, n_members = np.arange(len(labels)), len(features)

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        log_p = predict(offset, features, weights)
        error = np.exp(log_p)  # (n, K)
        error[rows, labels] -= 1
        slopes = np.concatenate([np.einsum("lnk,nk->l", features, error), error.sum(0)]) / len(rows)
        held = penalty * weights
        return (weights * held).sum() / 2 - log_p[rows, labels].mean(), slopes + held

    begin = np.zeros(n_members + offset.shape[1]) if start is None else start
    return minimize(loss, begin, jac=True, method="L-BFGS-B", options=_PRECISION).x


def predict(offset: np.ndarray, features: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return log probabilities (n, K); weights: what `fit` returned."""
    moved = np.einsum("l,lnk->nk", weights[: len(features)], features)
    return log_softmax(offset + moved + weights[len(features) :], axis=1)


@dataclass(frozen=True)
class Pool:
    """Such a decision from the members' logits, a list of (n, K): f(logits) -> offset and features."""

    arrays: Callable[[list[np.ndarray]], tuple[np.ndarray, np.ndarray]]

    def fit(self, logits: list[np.ndarray], labels: np.ndarray, penalty: float, start: np.ndarray | None = None):
        """Return v and b, one after the other, (L + K,)."""
        return fit(*self.arrays(logits), labels, penalty, start)

    def predict(self, logits: list[np.ndarray], weights: np.ndarray) -> np.ndarray:
        """Return log probabilities (n, K); weights: what `fit` returned."""
        return in_blocks(lambda part: predict(*self.arrays(part), weights), logits)
