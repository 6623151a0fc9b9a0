"""Selection with guaranteed risk: a threshold on confidence, found on `val`, that bounds the risk of what is accepted.

Geifman & El-Yaniv (NeurIPS 2017), algorithm SGR: a binary search over the ⌈log2 m⌉ thresholds that it meets, each with
the exact binomial bound at delta / ⌈log2 m⌉. Of those whose bound is at most the target the one that accepts most is
taken; the paper returns the last that was met, whose bound may be above the target. A union bound over the steps does
not account for thresholds that were chosen by the errors on val, nor for tie blocks: so how
often bounds are broken is counted, over re-splits of the rows of val and test.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import ceil, log, log1p, log2

import numpy as np

from selfdoubt.evaluation.undefined import Undefined, count
from selfdoubt.runtime.randomness import generator

_NUMBERS_AT_ONCE = 2**22  # rows times re-splits


@dataclass(frozen=True, eq=False)
class Pool:
    """The rows of val and test together by falling confidence, of which a split is a mask."""

    order: np.ndarray  # (n,) row numbers by falling confidence; the rows of val are 0 to n_val - 1
    confidence: np.ndarray  # (n,) falling
    incorrect: np.ndarray  # (n,) bool
    last: np.ndarray  # (n,) the last place of each one's tie block
    n_val: int


@dataclass(frozen=True, eq=False)
class Selections:
    """What was found in each of several splits, (n_splits,); where nothing was, counts are 0 and `bound` is NaN."""

    place: np.ndarray  # the last of the accepted in the pool; -1: none is
    bound: np.ndarray  # of the risk
    accepted: np.ndarray  # images of test
    errors: np.ndarray  # among them

    @property
    def broken(self) -> np.ndarray:
        """Whether the realised risk is above the bound."""
        return self.errors > self.bound * self.accepted  # NaN is not


def pool(val: tuple[np.ndarray, np.ndarray], test: tuple[np.ndarray, np.ndarray]) -> Pool:
    """Return the pool of (confidence, correct) of val and test; raises Undefined if either has no samples."""
    n_val = count(val[0])
    count(test[0])
    confidence, correct = (np.concatenate(both) for both in zip(val, test, strict=True))
    order = np.argsort(-confidence, kind="stable")
    falling = confidence[order]
    ends = np.append(np.flatnonzero(falling[1:] != falling[:-1]), len(falling) - 1)
    last = ends[np.searchsorted(ends, np.arange(len(falling)))]
    return Pool(order, falling, ~correct[order].astype(bool), last, n_val)


def n_steps(n_val: int) -> int:
    """Return over how many thresholds delta is divided."""
    return max(1, ceil(log2(n_val)))


def select(pooled: Pool, in_val: np.ndarray, risk: float, delta: float) -> Selections:
    """Return what SGR finds on val and what comes of it on test.

    in_val: bool (n_splits, n), in the order of rows, each with n_val of them. risk: the target, above 0.
    """
    from scipy.special import bdtr  # a fifth of a second to import, and needed here only

    mask = in_val[:, pooled.order]
    n_splits, n_val, level = len(mask), pooled.n_val, delta / n_steps(pooled.n_val)
    places = np.nonzero(mask)[1].reshape(n_splits, n_val)  # of the rows of val
    until, errors = (np.cumsum(each, axis=1, dtype=np.int32) for each in (mask, mask & pooled.incorrect))
    split, found = np.arange(n_splits), np.full(n_splits, -1)
    low, high = np.ones(n_splits, dtype=np.int64), np.full(n_splits, n_val)  # ranks by rising confidence, as the paper
    for _ in range(n_steps(n_val)):
        rank = (low + high + 1) // 2
        end = pooled.last[places[split, n_val - rank]]
        holds = bdtr(errors[split, end].astype(float), until[split, end], risk) <= level
        found, high, low = np.where(holds, end, found), np.where(holds, rank, high), np.where(holds, low, rank)
    none, own = found < 0, (until[split, found], errors[split, found])
    whole = found + 1, np.cumsum(pooled.incorrect)[found]
    accepted, wrong = (np.where(none, 0, of_all - of_val) for of_all, of_val in zip(whole, own, strict=True))
    return Selections(found, np.where(none, np.nan, upper_bound(own[1], own[0], level)), accepted, wrong)


def upper_bound(errors: np.ndarray, n: np.ndarray, level: float) -> np.ndarray:
    """Return the risk at which `errors` or fewer of n have a probability of `level` (Clopper & Pearson 1934)."""
    from scipy.special import betaincinv

    return np.where(errors == n, 1.0, betaincinv(errors + 1, np.maximum(n - errors, 1), 1 - level))


def select_on_val(pooled: Pool, risk: float, delta: float) -> Selections:
    """Return what is found on val itself, in arrays of one; raises Undefined with the reason where nothing is."""
    found = select(pooled, np.arange(len(pooled.order))[None] < pooled.n_val, risk, delta)
    if found.place[0] >= 0:
        return found
    needed = (log(delta) - log(n_steps(pooled.n_val))) / log1p(-risk)  # infinite for the smallest risks
    if needed > pooled.n_val:
        n = f"{ceil(needed):,}" if needed < 1e15 else f"{needed:.0e}"
        raise Undefined(f"val has {pooled.n_val:,} images; a bound of {risk:g} needs {n} without an error")
    raise Undefined(f"no threshold on val has a bound of {risk:g} or less")


def broken_fraction(pooled: Pool, risk: float, delta: float, n_resplits: int) -> float:
    """Return how often the bound is broken, of plain random re-splits of the rows into parts of the same sizes.

    A re-split in which nothing is accepted breaks no bound.
    """
    n, broken = len(pooled.order), 0
    step = max(1, _NUMBERS_AT_ONCE // n)
    for first in range(0, n_resplits, step):
        masks = _resplits(n, pooled.n_val, first, min(step, n_resplits - first))
        broken += np.count_nonzero(select(pooled, masks, risk, delta).broken)
    return broken / n_resplits


@lru_cache(maxsize=4)
def _resplits(n: int, n_val: int, first: int, n_splits: int) -> np.ndarray:
    """Return which rows are val, bool (n_splits, n): the same for every model of as many rows."""
    masks = np.zeros((n_splits, n), dtype=bool)
    for i, mask in enumerate(masks, start=first):
        mask[generator(0, "guarantees/resplit", i).permutation(n)[:n_val]] = True
    return masks
