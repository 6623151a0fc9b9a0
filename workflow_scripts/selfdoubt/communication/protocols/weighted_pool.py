"""Weighted pool: a log-linear pool with a weight a member and a bias a class, fitted on val (Genest & Zidek 1986).

    log p = log softmax(sum over members of w_member log p_member + b)

The L weights and the K biases minimise the mean NLL plus penalty / 2 (|w - 1/L|^2 + |b|^2): the larger the penalty, the
nearer to `mean-logit`. `stacking` has a weight for each pair of classes besides.
"""

import numpy as np

from selfdoubt.communication import out_of_fold, pools
from selfdoubt.communication.combining import Combined, Members
from selfdoubt.communication.probabilities import log_probabilities


def _arrays(logits: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    each = np.stack([*map(log_probabilities, logits)])  # (L, n, K)
    return each.mean(0), each


POOL = pools.Pool(_arrays)  # whose v is w - 1/L


def decide(members: Members, settings) -> Combined:
    """Decide by the pool fitted on val, at the penalty chosen there by cross-validation; val out-of-fold.

    Raises Undefined if val has fewer images than folds, or logits that are not finite.
    """
    return out_of_fold.decide(members, settings, POOL.fit, POOL.predict)
