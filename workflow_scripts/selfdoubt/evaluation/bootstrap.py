"""The bootstrap over samples: how often each sample is in each resample, and intervals.

A test split is the same rows for every model and replicate, so one resample of it is applied to all of them at once:
differences are paired, and what the choice of test images adds does not average out over replicates.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from math import exp

import numpy as np

from selfdoubt.runtime.randomness import generator

DRAWN_TOGETHER = 16  # resamples of one generator
_REMEMBERED = 2**14  # weights of more samples are drawn again for each arm
_COUNTS = 40  # larger ones have a probability below 1 / 40!
_RARE = 2**16 - 1  # in the table of pairs of counts: draw further digits
_SLICE = 2**13  # samples drawn at a time: few enough for the cache, many enough for threads not to wait for one another


def resample_weights(n: int, n_resamples: int, purpose: str, n_in_all: int = 0) -> list[Callable[[], np.ndarray]]:
    """Return functions that draw, one after another or at once, how often each of n samples is in each resample.

    purpose: what is resampled; equal (n, purpose) give equal weights. n_in_all: samples of all sets that are drawn
    side by side, which decides the size of the parts, not what is drawn. Each function returns m of the resamples,
    (m, n) uint8 of row sum n: a view of an (n, m) array, which is the order in which it is read.
    """
    step = resamples_at_once(n_in_all or n)
    return [_Draw(n, purpose, range(i, min(i + step, n_resamples))) for i in range(0, n_resamples, step)]


def resamples_at_once(n: int) -> int:
    """Return how many resamples of n samples to hold at a time: half a million counts, and few, to transpose fast."""
    return DRAWN_TOGETHER * int(np.clip(2**19 // (DRAWN_TOGETHER * max(n, 1)), 1, 4))


@dataclass(frozen=True)
class _Draw:
    n: int
    purpose: str
    resamples: range  # starts at a multiple of DRAWN_TOGETHER

    def __call__(self) -> np.ndarray:
        first, last = self.resamples.start // DRAWN_TOGETHER, -(-self.resamples.stop // DRAWN_TOGETHER)
        draw = _remembered if self.n <= _REMEMBERED else _group
        parts = [draw(self.n, self.purpose, group) for group in range(first, last)]
        return np.concatenate(parts, axis=1)[:, : len(self.resamples)].T


def _group(n: int, purpose: str, group: int) -> np.ndarray:
    """Return the weights of one group of resamples, (n, DRAWN_TOGETHER) uint8."""
    return _multinomial(n, generator(0, purpose, n, group))


_remembered = lru_cache(maxsize=256)(_group)  # for the next arm; at most 64 MB


def _multinomial(n: int, source: np.random.Generator) -> np.ndarray:
    """Return how often each of n samples is drawn in n draws, (n, DRAWN_TOGETHER) uint8.

    Independent Poisson counts, given their sum N, are those of N draws. So a little less than n draws are made at
    once, as Poisson counts, then the missing ones one by one; where N > n, N - n are taken back at random.
    """
    counts, sums = _poisson(n, max(0.0, 1 - 4 / np.sqrt(n)), source)
    for column in np.flatnonzero(sums > n):
        counts[:, column] = source.multivariate_hypergeometric(
            counts[:, column].astype(np.int64), n, method="marginals"
        )
    columns = np.repeat(np.arange(DRAWN_TOGETHER), np.maximum(n - sums, 0))
    rows = source.integers(n, size=len(columns))
    np.add.at(counts.ravel(), rows * DRAWN_TOGETHER + columns, np.uint8(1))
    return counts


def _poisson(n: int, rate: float, source: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return Poisson counts, (n, DRAWN_TOGETHER) uint8, and their column sums.

    A pair of counts is drawn by 16 random bits, and by 53 more where these do not decide.
    """
    pair_of, cumulative = _poisson_pairs(rate)
    counts, sums = np.empty((n, DRAWN_TOGETHER), dtype=np.uint8), np.zeros(DRAWN_TOGETHER, dtype=np.int64)
    for start in range(0, n, _SLICE):
        part = counts[start : start + _SLICE]
        pairs = part.ravel().view(np.uint16)  # views
        bits = source.bit_generator.random_raw(pairs.size // 4).view(np.uint16)
        pair_of.take(bits, out=pairs, mode="clip")
        rare = np.flatnonzero(pairs == _RARE)
        uniform = (bits[rare] + source.random(len(rare))) / 2**16
        pairs[rare] = _as_pairs(np.searchsorted(cumulative, uniform, side="right"))
        sums += (np.ones(len(part), dtype=np.float32) @ part.astype(np.float32)).astype(np.int64)  # exact: small
    return counts, sums


@lru_cache(maxsize=16)
def _poisson_pairs(rate: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the pair of counts of each 16 bits, (65536,), _RARE where they do not decide, and P(pair <= k)."""
    probability = exp(-rate) * np.cumprod(np.append(1.0, rate / np.arange(1, _COUNTS)))
    cumulative = np.cumsum(np.outer(probability, probability))[:-1]  # of pairs in lexicographic order
    edges = np.arange(2**16 + 1) / 2**16
    lowest, highest = (np.searchsorted(cumulative, edges, side="right")[part] for part in (slice(-1), slice(1, None)))
    return np.where(lowest == highest, _as_pairs(lowest), np.uint16(_RARE)), cumulative


def _as_pairs(k: np.ndarray) -> np.ndarray:
    """Return the k-th pairs of counts, two bytes each."""
    return np.stack(np.divmod(k, _COUNTS), axis=-1).astype(np.uint8).view(np.uint16).ravel()


def percentile_interval(values: np.ndarray, level: float = 0.95) -> tuple[float | None, float | None]:
    """Return the interval that leaves (1 - level) / 2 of the values on either side.

    Resamples in which the number does not exist (NaN) are excluded; (None, None) if it exists in none.
    """
    values = np.asarray(values)[~np.isnan(values)]
    if len(values) == 0:
        return None, None
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
