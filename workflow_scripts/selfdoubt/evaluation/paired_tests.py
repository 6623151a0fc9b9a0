"""Comparisons of two arms: intervals, p, Holm's correction, verdicts and how many replicates are needed.

Not here: a bootstrap over replicates. Of three replicates it never goes beyond the least and the most, and so reports a
difference in up to a quarter of the cases in which there is none (docs/decisions/0015).
"""

from dataclasses import dataclass

import numpy as np

from selfdoubt.evaluation.bootstrap import percentile_interval


@dataclass(frozen=True)
class Estimate:
    """The value of a metric for one arm and replicate, and its values in all resamples, (n_resamples,)."""

    value: float
    resampled: np.ndarray


def paired_comparison(pairs: list[tuple[Estimate, Estimate]], level: float = 0.95) -> dict:
    """Compare two arms, better minus than, over replicates and test samples.

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

    The variance of the mean is that over replicates, divided by their number, plus what the choice of samples,
    common to all replicates, adds: the covariance of two replicates' differences over resamples. t has the degrees of
    freedom of that sum (Obuchowski & Rockette 1995; Hillis 2007, with readers in the place of replicates).

    differences: (replicates,). resampled: (replicates, n_resamples), of the same samples in a column; columns with NaN,
    where a number does not exist, are excluded. (None, None, None) if fewer than two are left.
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
