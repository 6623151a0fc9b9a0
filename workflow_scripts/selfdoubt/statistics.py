"""Uncertainty of numbers: bootstrap weights, intervals, paired comparisons of two arms, Holm's correction.

A test split is the same rows for every model and seed, so one resample of it is applied to all of them at
once: differences are paired, and what the choice of test images adds does not average out over seeds.
Not here: parametric intervals. Three seeds are too few to trust a normal distribution, and the bootstrap
over three seeds is itself narrow; that is why a verdict needs both the interval and the corrected p.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Arm:
    """One arm of one seed: a metric's value, and its values (n_resamples,) under weights (n_resamples, n)."""

    value: float
    resampled: Callable[[np.ndarray], np.ndarray]


def resample_weights(n: int, n_resamples: int, generator: np.random.Generator, chunk: int = 0) -> Iterator[np.ndarray]:
    """Yield how often each of n samples is drawn in each resample, in chunks of (chunk, n) uint8.

    The chunks are views of (n, chunk) arrays, the order in which they are read; their size does not change
    what is drawn. A count above 255 has a probability below 1 / 255!.
    """
    chunk = chunk or resamples_at_once(n)
    for start in range(0, n_resamples, chunk):
        counts = np.empty((min(chunk, n_resamples - start), n), dtype=np.uint8)
        for row in counts:
            row[:] = np.bincount(generator.integers(n, size=n), minlength=n)
        yield np.ascontiguousarray(counts.T).T


def resamples_at_once(n: int) -> int:
    """Return how many resamples of n samples to hold at a time: about a million counts."""
    return int(np.clip(2**20 // max(n, 1), 16, 1000))


def percentile_interval(values: np.ndarray, level: float = 0.95) -> tuple[float | None, float | None]:
    """Return the interval that leaves (1 - level) / 2 of the values on either side.

    Resamples in which the number does not exist (NaN) are left out; (None, None) if it exists in none.
    """
    values = np.asarray(values)[~np.isnan(values)]
    if len(values) == 0:
        return None, None
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def paired_comparison(
    pairs: list[tuple[Arm, Arm]], weights: Iterable[np.ndarray], generator: np.random.Generator, level: float = 0.95
) -> dict:
    """Compare two arms, better minus than, by a hierarchical bootstrap: seeds, then samples.

    pairs: (better, than) of each seed. weights: chunks (n_resamples, n) for all arms and seeds alike.
    generator: draws the seeds of each resample. Returns difference (mean over seeds), low, high, p,
    n_seeds and differences (of each seed).
    """
    differences = [float(better.value - than.value) for better, than in pairs]
    chunks = [[better.resampled(chunk) - than.resampled(chunk) for better, than in pairs] for chunk in weights]
    resampled = np.concatenate(chunks, axis=1)  # (seeds, n_resamples)
    drawn = generator.integers(len(pairs), size=resampled.shape)
    means = np.take_along_axis(resampled, drawn, axis=0).mean(0)
    low, high = percentile_interval(means, level)
    return {
        "difference": float(np.mean(differences)),
        "low": low,
        "high": high,
        "p": two_sided_p(means),
        "n_seeds": len(pairs),
        "differences": differences,
    }


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


def n_seeds_needed(differences: list[float], power: float = 0.8, level: float = 0.05, cap: int = 1000) -> int | None:
    """Return how many seeds a two-sided paired t-test needs for this power at the observed mean and spread.

    None where there is no spread, no difference or fewer than two seeds, or if more than `cap` are needed.
    """
    if len(differences) < 2 or np.ptp(differences) == 0 or np.mean(differences) == 0:
        return None
    effect = abs(np.mean(differences)) / np.std(differences, ddof=1)
    enough = _t_test_power(np.arange(2, cap + 1), effect, level) >= power
    return int(enough.argmax()) + 2 if enough.any() else None


def _t_test_power(n: np.ndarray, effect: float, level: float) -> np.ndarray:
    """Return the power of a two-sided paired t-test with n pairs; effect: mean over standard deviation."""
    from scipy.special import nctdtr, stdtrit  # half a second to import, and needed here only

    critical = stdtrit(n - 1, 1 - level / 2)
    shift = np.minimum(effect * np.sqrt(n), 30.0)
    power = 1 - nctdtr(n - 1, shift, critical) + nctdtr(n - 1, shift, -critical)
    return np.where(np.isnan(power), 1.0, power)  # nctdtr gives up where so large a shift leaves no doubt
