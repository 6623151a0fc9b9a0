"""The folds of val, each of which is decided by fits without it."""

import numpy as np


def stratified_folds(labels: np.ndarray, n_folds: int) -> np.ndarray:
    """Return the fold of each image, (n,) in 0 ... n_folds - 1, stratified by class, in the order of the images."""
    fold, dealt = np.empty(len(labels), np.int64), 0
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        fold[rows] = (dealt + np.arange(len(rows))) % n_folds  # continues where the class before ended
        dealt += len(rows)
    return fold
