"""Cross-fitting: methods that are fitted on `val` make out-of-fold predictions of it.

`val` is divided into folds. The rows of fold k are predicted by what was fitted on all other folds, every other split
by what was fitted on all of `val`. So neither val's metrics, nor the choice between candidates, nor the scores that
evaluation fits on val are optimistic because rows were fitted on.
"""

from types import SimpleNamespace

import numpy as np

from selfdoubt.runtime import randomness
from selfdoubt.runtime.errors import UserError


def random_folds(n: int, n_folds: int, seed: int) -> list[np.ndarray]:
    """Divide n rows at random into folds of nearly equal size, each in rising order.

    Raises UserError if a fold would have fewer than two rows.
    """
    if n < 2 * n_folds:
        raise UserError(f"enhancers: val has {n} images, too few for n_folds {n_folds}; lower it")
    order = randomness.generator(seed, "folds").permutation(n)
    return [np.sort(part) for part in np.array_split(order, n_folds)]


def others(n: int, rows: np.ndarray) -> np.ndarray:
    """Return the row numbers below n that are not among `rows`."""
    return np.setdiff1d(np.arange(n), rows, assume_unique=True)


def subset(split, rows: np.ndarray) -> SimpleNamespace:
    """Return images and labels of some rows; images that are read from files still are."""
    images = split.images.subset(rows) if hasattr(split.images, "subset") else split.images[rows]
    return SimpleNamespace(images=images, labels=split.labels[rows])
