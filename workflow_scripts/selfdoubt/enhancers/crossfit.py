"""What is fitted on `val` and yet says something honest of it: every row is answered by a fit without it.

`val` is dealt into folds. Its rows in fold k are answered by what was fitted on all other folds; every other split
is answered by what was fitted on the whole of it. So val's numbers, the choice between candidates, and the scores that
evaluation fits on val are none of them flattered by rows that were learned.
"""

from types import SimpleNamespace

import numpy as np

from selfdoubt.runtime import randomness
from selfdoubt.runtime.errors import UserError


def folds(n: int, n_folds: int, seed: int) -> list[np.ndarray]:
    """Deal n rows into folds of nearly equal size, each in rising order; raises UserError if there are too few."""
    if n < 2 * n_folds:
        raise UserError(f"enhancers: {n} images of val are too few for n_folds {n_folds}; lower it")
    order = randomness.generator(seed, "folds").permutation(n)
    return [np.sort(part) for part in np.array_split(order, n_folds)]


def others(n: int, rows: np.ndarray) -> np.ndarray:
    """Return the rows of n that are not among these."""
    return np.setdiff1d(np.arange(n), rows, assume_unique=True)


def subset(split, rows: np.ndarray) -> SimpleNamespace:
    """Return images and labels of some rows; images that stay in files stay there."""
    images = split.images.subset(rows) if hasattr(split.images, "subset") else split.images[rows]
    return SimpleNamespace(images=images, labels=split.labels[rows])
