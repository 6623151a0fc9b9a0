"""Uncertainty of numbers: bootstrap weights, intervals, paired comparisons of two arms, Holm's correction.

A test split is the same rows for every model and replicate, so one resample of it is applied to all of them at
once: differences are paired, and what the choice of test images adds does not average out over replicates.
Not here: a bootstrap over replicates. Of three replicates it never goes beyond the least and the most, and so sees a
difference in up to a quarter of the cases in which there is none (docs/decisions/0015).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from math import exp

import numpy as np

from selfdoubt.runtime.randomness import generator

DRAWN_TOGETHER = 16  # resamples of one generator
_REMEMBERED = 2**14  # weights of more samples are drawn anew for each arm
_COUNTS = 40  # larger ones have a probability below 1 / 40!
_RARE = 2**16 - 1  # in the table of pairs of counts: draw further digits
_SLICE = 2**13  # samples drawn at a time: few enough for the cache, many enough for threads not to wait for one another


@dataclass(frozen=True)
class Arm:
    """One arm of one replicate: a metric's value, and its values in every resample, (n_resamples,)."""

    value: float
    resampled: np.ndarray


def resample_weights(n: int, n_resamples: int, purpose: str, n_in_all: int = 0) -> list[Callable[[], np.ndarray]]:
    """Return functions that draw, one after another or at once, how often each of n samples is in each resample.

    purpose: what is resampled; equal (n, purpose) give equal weights. n_in_all: samples of all sets that are drawn
    side by side, which decides the size of the parts, not what is drawn. Each function returns a part,
    (n_resamples, n) uint8 of row sum n, a view of an (n, n_resamples) array, the order in which it is read.
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

    Resamples in which the number does not exist (NaN) are left out; (None, None) if it exists in none.
    """
    values = np.asarray(values)[~np.isnan(values)]
    if len(values) == 0:
        return None, None
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def paired_comparison(pairs: list[tuple[Arm, Arm]], level: float = 0.95) -> dict:
    """Compare two arms, better minus than: of models trained with other replicates, judged by other samples.

    pairs: (better, than) of each replicate, all resampled alike. Of one replicate, interval and p are those of the
    bootstrap over samples; of several, see `crossed_interval`.
    Returns difference (mean over replicates), low, high, p, effect_size, n_replicates and differences (of each
    replicate).
    """
    differences = np.array([float(better.value - than.value) for better, than in pairs])
    resampled = np.stack([better.resampled - than.resampled for better, than in pairs])  # (replicates, n_resamples)
    if len(pairs) == 1:
        (low, high), p = percentile_interval(resampled[0], level), two_sided_p(resampled[0])
    else:
        low, high, p = crossed_interval(differences, resampled, level)
    return {
        "difference": float(np.mean(differences)),
        "low": low,
        "high": high,
        "p": p,
        "effect_size": effect_size(differences.tolist()),
        "n_replicates": len(pairs),
        "differences": differences.tolist(),
    }


def crossed_interval(
    differences: np.ndarray, resampled: np.ndarray, level: float = 0.95
) -> tuple[float | None, float | None, float | None]:
    """Return low, high and the two-sided p of a mean difference over replicates, where replicates and samples both
    vary.

    The variance of the mean is that over replicates, divided by their number, and what all replicates share of the
    samples: the covariance of two replicates' differences over resamples. t has the degrees of freedom of that sum
    (Obuchowski & Rockette 1995; Hillis 2007, with readers in the place of replicates).

    differences: (replicates,). resampled: (replicates, n_resamples), of the same samples in a column; columns with NaN,
    where a number does not exist, are left out. (None, None, None) if fewer than two are left.
    """
    from scipy.special import stdtr, stdtrit  # half a second to import, and needed here only

    known = resampled[:, ~np.isnan(resampled).any(0)]
    if known.shape[1] < 2:
        return None, None, None
    n, mean = len(differences), float(np.mean(differences))
    of_replicates = np.var(differences, ddof=1) / n
    covariance = np.cov(known)
    of_samples = max(0.0, (covariance.sum() - np.trace(covariance)) / (n * (n - 1)))
    error = float(np.sqrt(of_replicates + of_samples))
    if error == 0:
        return mean, mean, float(mean == 0)
    freedom = (n - 1) * min(1 + of_samples / of_replicates, 1e6) ** 2 if of_replicates else 1e12
    reach = float(stdtrit(freedom, (1 + level) / 2)) * error
    return mean - reach, mean + reach, float(2 * stdtr(freedom, -abs(mean) / error))


def effect_size(differences: list[float]) -> float | None:
    """Return the mean of paired differences over their standard deviation, d_z (Cohen 1988), of any sign.

    None where there is no spread, or fewer than two replicates.
    """
    if len(differences) < 2 or np.ptp(differences) == 0:
        return None
    return float(np.mean(differences) / np.std(differences, ddof=1))


def two_sided_p(values: np.ndarray) -> float | None:
    """Return twice the smaller tail of bootstrap values around 0, (k + 1) / (B + 1) each: never 0."""
    values = np.asarray(values)[~np.isnan(values)]
    if len(values) == 0:
        return None
    k = min(np.count_nonzero(values <= 0), np.count_nonzero(values >= 0))
    return float(min(1.0, 2 * (k + 1) / (len(values) + 1)))


def holm(p_values: list[float | None]) -> list[float | None]:
    """Return Holm's step-down corrected p of each hypothesis of a family (Holm 1979).

    None, a comparison that could not be made, stays None but counts as a member of the family.
    """
    corrected: list[float | None] = [None] * len(p_values)
    made = sorted((p, i) for i, p in enumerate(p_values) if p is not None)
    largest = 0.0
    for step, (p, i) in enumerate(made):
        largest = max(largest, min(1.0, p * (len(p_values) - step)))
        corrected[i] = largest
    return corrected


def verdict(low: float | None, high: float | None, p_holm: float | None, claimed_sign: int) -> str:
    """Return supported, refuted or inconclusive.

    low, high: interval of the difference. claimed_sign: +1 if the claim is a positive difference, else -1.
    """
    if low is None or high is None or p_holm is None or p_holm >= 0.05 or low <= 0 <= high:
        return "inconclusive"
    return "supported" if (low > 0) == (claimed_sign > 0) else "refuted"


def n_replicates_needed(
    differences: list[float], power: float = 0.8, level: float = 0.05, cap: int = 1000
) -> int | None:
    """Return how many replicates a two-sided paired t-test needs for this power at the observed mean and spread.

    None where there is no spread, no difference or fewer than two replicates, or if more than `cap` are needed.
    """
    effect = effect_size(differences)
    if not effect:
        return None
    enough = _t_test_power(np.arange(2, cap + 1), abs(effect), level) >= power
    return int(enough.argmax()) + 2 if enough.any() else None


def _t_test_power(n: np.ndarray, effect: float, level: float) -> np.ndarray:
    """Return the power of a two-sided paired t-test with n pairs; effect: mean over standard deviation."""
    from scipy.special import nctdtr, stdtrit  # half a second to import, and needed here only

    critical = stdtrit(n - 1, 1 - level / 2)
    shift = np.minimum(effect * np.sqrt(n), 30.0)
    power = 1 - nctdtr(n - 1, shift, critical) + nctdtr(n - 1, shift, -critical)
    return np.where(np.isnan(power), 1.0, power)  # nctdtr gives up where so large a shift leaves no doubt
