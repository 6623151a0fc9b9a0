"""Failure detection where out-of-distribution images are failures too (FD-Shifts, Jaeger et al. 2023).

The images of `test` and of an out-of-distribution set are ranked together, and every out-of-distribution image counts
as an error. A split `ood-NAME` has all images of both; of `ood-NAME@PERCENT` so many percent are out of distribution:
the set that is too large for it is cut to a subset, drawn once for all models. Weighting instead would use all
images, but AURC is defined by counts.
"""

from fractions import Fraction
from math import floor

import numpy as np

from selfdoubt.evaluation import rankings
from selfdoubt.evaluation.rankings import Ranking
from selfdoubt.evaluation.splits import needed_splits, ood_percent
from selfdoubt.evaluation.undefined import Undefined, count
from selfdoubt.runtime.randomness import generator


def mixed_sizes(split: str, n_test: int, n_ood: int) -> tuple[int, int]:
    """Return how many images of `test` and of the set an ood- split has: the most that its percentage allows."""
    if (percent := ood_percent(split)) is None:
        return n_test, n_ood
    part = Fraction(percent) / 100
    n_outside = floor(n_test * part / (1 - part) + Fraction(1, 2))
    return (n_test, n_outside) if n_outside <= n_ood else (floor(n_ood * (1 - part) / part + Fraction(1, 2)), n_ood)


def rank_failures(inside: np.ndarray, correct: np.ndarray, outside: np.ndarray, split: str) -> Ranking:
    """Rank `test` and an out-of-distribution set together.

    inside: confidence of `test`, (n,); correct: bool (n,). outside: confidence of the other images, (m,). split: whose
    percentage holds. Raises Undefined if there are no images of the one or the other.
    """
    sizes = mixed_sizes(split, count(inside), count(outside))
    if 0 in sizes:
        raise Undefined(f"{len(inside)} and {len(outside)} images are too few for {ood_percent(split)} % of them")
    names = needed_splits(split)
    mine, others = (_rows(*each) for each in zip(names, (len(inside), len(outside)), sizes, strict=True))
    return rankings.rank(
        np.concatenate([inside[mine], outside[others]]), np.concatenate([correct[mine], np.zeros(sizes[1], bool)])
    )


def _rows(split: str, n: int, n_wanted: int) -> np.ndarray:
    """Return the rows of a split that are in the mix, ascending; of two sizes the smaller is part of the larger."""
    if n == n_wanted:
        return np.arange(n)
    return np.sort(generator(0, f"failure/{split}").permutation(n)[:n_wanted])


def fpr95(ranking: Ranking):
    """Return the fraction of failures above the largest threshold that keeps 95 % of the correct samples."""
    if np.ndim(ranking.n_errors) == 0 and ranking.n_errors in (0, ranking.n):
        raise Undefined("no correct samples" if ranking.n_errors else "no incorrect samples")
    return rankings.fpr95(ranking)
