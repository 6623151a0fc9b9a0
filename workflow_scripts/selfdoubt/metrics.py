"""Metrics of confidence and correctness, with one answer for one input. Definitions: docs/metrics.md.

A ranking metric takes (confidence, correct), or a `Ranking` made once of them; `Ranking.resampled(weights)`
stands for many bootstrap resamples at once, and the same functions then return one value for each. `ece`, `nll`
and `brier` take the weights themselves. Weights are (n_resamples, n) counts, each row of sum n, as
`statistics.resample_weights` draws them. No resample is drawn out: metrics need but sparse sums of the weights.

A number that does not exist raises `Undefined`; in a resample, where there is nobody to tell, it is NaN.
Not here: C-OOD severity, which needs labelled out-of-distribution classes.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property, lru_cache, partial

import numpy as np
from scipy.sparse import csc_array, csr_array

from selfdoubt.errors import UserError


class Undefined(Exception):
    """A number that does not exist; the text says why."""


# ---- ranking ----


@dataclass(frozen=True, eq=False)
class Ranking:
    """Samples in order of falling confidence, as tie blocks, the surest first.

    Arrays are (n_blocks,), or (n_blocks, n_resamples) where resampled; a resampled ranking leaves out
    the blocks without an error, which no metric but `ood-aupr-in` needs.
    """

    n: int
    before: np.ndarray  # samples in the blocks before this one
    size: np.ndarray  # samples in this block
    errors: np.ndarray  # wrong samples in this block
    order: np.ndarray | None = None  # (n,) row numbers, the surest first
    wrong: np.ndarray | None = None  # (n,) bool, in that order

    @cached_property
    def n_errors(self):
        """The number of wrong samples, int or (n_resamples,)."""
        return self.errors.sum(0)

    @cached_property
    def right_before(self) -> np.ndarray:
        """Correct samples in the blocks before this one."""
        return self.before - (np.cumsum(self.errors, axis=0) - self.errors)

    @cached_property
    def accuracy_before(self) -> np.ndarray:
        """The accuracy of the blocks before this one; 0 before the first."""
        return self.right_before / np.maximum(self.before, 1)

    @cached_property
    def twice_won(self):
        """Twice the number of pairs (correct, wrong) whose correct sample is surer, a tie counting half."""
        # The samples before an error, its own block counted half, are correct ones and, E^2 / 2 in all, errors.
        return (self.errors * (2 * self.before + self.size)).sum(0) - self.n_errors**2

    @cached_property
    def summed_risk(self):
        """The sum of E_k / k over k = 1..n, with E_k growing linearly inside a tie block."""
        tails = _summed_tails(self.n)
        gain = tails[self.before + self.size] - tails[self.before]
        return (self.errors / np.maximum(self.size, 1) * gain).sum(0)

    @cached_property
    def best_summed_risk(self):
        """The same sum with every error ranked last."""
        return self.n - _summed_tails(self.n)[self.n - self.n_errors]

    @cached_property
    def excess(self):
        """The first sum less the second; rounding must not make it negative."""
        return np.maximum(self.summed_risk - self.best_summed_risk, 0.0)

    @cached_property
    def _sums(self) -> tuple[csr_array, csr_array, csr_array]:
        """Matrices that add up the weights (1) before the first block with an error, and from each such
        block to the next; (2) of the samples in each such block; (3) of the wrong ones among them."""
        chosen = self.errors > 0
        chosen[0] |= not chosen.any()  # a ranking has at least one block
        size, errors = self.size[chosen], self.errors[chosen]
        runs = np.diff(self.before[chosen], prepend=0, append=self.n)
        inside = np.repeat(chosen, self.size)
        return (
            self._sum_rows(self.order, runs),
            self._sum_rows(self.order[inside], size),
            self._sum_rows(self.order[self.wrong], errors),
        )

    def _sum_rows(self, samples: np.ndarray, lengths: np.ndarray) -> csr_array:
        """Return the matrix whose rows add up the weights of so many samples each, without rounding."""
        ones = np.ones(len(samples), dtype=np.float32 if self.n < 2**24 else np.float64)
        return csr_array((ones, samples, np.append(0, np.cumsum(lengths))), shape=(len(lengths), self.n))

    def resampled(self, weights: np.ndarray) -> "Ranking":
        """Return the rankings of resamples; weights: (n_resamples, n)."""
        runs, blocks, errors = self._sums
        columns = np.ascontiguousarray(weights.T, dtype=runs.dtype)  # (n, n_resamples)
        before = np.cumsum((runs @ columns)[:-1], axis=0).astype(np.int64)
        errors_drawn = (errors @ columns).astype(np.int64)
        untied = blocks.nnz == errors.nnz
        return Ranking(self.n, before, errors_drawn if untied else (blocks @ columns).astype(np.int64), errors_drawn)


def rank(confidence: np.ndarray, correct: np.ndarray) -> Ranking:
    """Sort samples by confidence, once for all ranking metrics.

    confidence: (n,) any monotone score, higher is surer. correct: (n,) bool; for the `ood-` metrics
    the samples are those of both splits and "correct" means in-distribution.
    """
    confidence, correct = np.asarray(confidence, dtype=np.float64), np.asarray(correct, dtype=bool)
    n = _count(confidence)
    if np.isnan(confidence).any():
        raise Undefined(f"the confidence of row {np.isnan(confidence).argmax()} is not a number")
    order = np.argsort(-confidence)
    falling = confidence[order]
    before = np.append(0, np.flatnonzero(falling[1:] != falling[:-1]) + 1)
    wrong = ~correct[order]
    errors = np.add.reduceat(wrong, before, dtype=np.int64)
    return Ranking(n, before, np.diff(before, append=n), errors, order, wrong)


def accuracy(correct):
    """Return the share of correct samples."""
    ranking = correct if isinstance(correct, Ranking) else rank(np.zeros(len(correct)), correct)
    return (ranking.n - ranking.n_errors) / ranking.n


def auroc(confidence, correct=None):
    """Return P(a correct sample is surer than a wrong one) + half of P(equal)."""
    ranking = _ranking(confidence, correct)
    n_right = ranking.n - ranking.n_errors
    return _quotient(ranking.twice_won, 2 * n_right * ranking.n_errors, _one_sided(ranking))


def aurc(confidence, correct=None):
    """Return the area under the risk-coverage curve, (1/n) sum E_k / k (Geifman & El-Yaniv 2017)."""
    ranking = _ranking(confidence, correct)
    return ranking.summed_risk / ranking.n


def e_aurc(confidence, correct=None):
    """Return AURC minus the least AURC that any order of these samples has (Geifman et al. 2019)."""
    ranking = _ranking(confidence, correct)
    return ranking.excess / ranking.n


def naurc(confidence, correct=None):
    """Return e-AURC as a share of what a random order has (Cattelan & Silva 2024): 0 the best, 1 random."""
    ranking = _ranking(confidence, correct)
    return _quotient(ranking.excess, ranking.n_errors - ranking.best_summed_risk, _one_sided(ranking))


def augrc(confidence, correct=None):
    """Return the area under the generalised risk-coverage curve (Traub et al. 2024)."""
    ranking = _ranking(confidence, correct)
    n_right = ranking.n - ranking.n_errors
    twice_lost = 2 * n_right * ranking.n_errors - ranking.twice_won
    return (twice_lost + ranking.n_errors**2) / (2 * ranking.n**2)


def coverage_at_accuracy(confidence, correct=None, *, percent: float | str):
    """Return the largest coverage whose selective accuracy is at least percent / 100; 0 if there is none."""
    ranking = _ranking(confidence, correct)
    # Inside a run of correct samples accuracy rises, so the last sample before an error block is the candidate.
    wanted = float(Fraction(str(percent)) / 100)  # two fractions of counts differ by far more than a float rounds
    best = np.where(ranking.accuracy_before >= wanted, ranking.before, 0).max(0)
    return np.where(accuracy(ranking) >= wanted, ranking.n, best) / ranking.n


def risk_at_coverage(confidence, correct=None, *, percent: float | str):
    """Return E_k / k among the k = ceil(n percent / 100) surest samples."""
    ranking = _ranking(confidence, correct)
    k = math.ceil(ranking.n * Fraction(str(percent)) / 100)
    last = np.maximum((ranking.before < k).sum(0) - 1, 0)[None]  # the block that holds the k-th sample
    before, size, errors, right_before = (
        np.take_along_axis(values, last, axis=0)[0]
        for values in (ranking.before, ranking.size, ranking.errors, ranking.right_before)
    )
    return (before - right_before + errors * np.clip((k - before) / np.maximum(size, 1), 0, 1)) / k


def risk_coverage_curve(confidence: np.ndarray, correct: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return coverage k / n and risk E_k / k for k = 1..n."""
    ranking = rank(confidence, correct)
    k = np.arange(1, ranking.n + 1)
    ends, errors = np.append(0, ranking.before + ranking.size), np.append(0, np.cumsum(ranking.errors))
    return k / ranking.n, np.interp(k, ends, errors) / k


# ---- out of distribution: a ranking whose "correct" samples are the in-distribution ones ----


def aupr_in(confidence, correct=None):
    """Return the average precision of finding in-distribution samples by high confidence."""
    ranking = _ranking(confidence, correct)
    right = ranking.size - ranking.errors
    precision = (ranking.right_before + right) / (ranking.before + ranking.size)
    return _quotient((right * precision).sum(0), ranking.n - ranking.n_errors, "no in-distribution samples")


def aupr_out(confidence, correct=None):
    """Return the average precision of finding out-of-distribution samples by low confidence."""
    ranking = _ranking(confidence, correct)
    at_most = ranking.n - ranking.before  # samples as unsure as this block or more
    errors_at_most = ranking.n_errors - (ranking.before - ranking.right_before)
    precision = errors_at_most / np.maximum(at_most, 1)
    return _quotient((ranking.errors * precision).sum(0), ranking.n_errors, "no out-of-distribution samples")


def fpr95(confidence, correct=None):
    """Return the share of OOD samples above the largest threshold that keeps 95 % of the ID samples."""
    ranking = _ranking(confidence, correct)
    too_few = 100 * ranking.right_before < 95 * (ranking.n - ranking.n_errors)  # the threshold is lower still
    return _quotient((ranking.errors * too_few).sum(0), ranking.n_errors, "no out-of-distribution samples")


# ---- calibration and proper scores ----


def ece(top, correct, n_bins: int = 15, weights=None):
    """Return the expected calibration error over equal-width bins (Naeini et al. 2015).

    top: (n,) the largest probability. correct: (n,) bool.
    """
    n = _count(top)
    gaps = np.subtract(correct, top, dtype=np.float64)
    sums = csc_array((gaps, _bins(top, n_bins), np.arange(n + 1)), shape=(n_bins, n))
    return np.abs(sums @ _columns(weights, n)).sum(0) / n


def mce(top, correct, n_bins: int = 15):
    """Return the largest gap between accuracy and mean confidence of any equal-width bin."""
    confidence, right, _ = reliability_bins(top, correct, n_bins)
    return np.nanmax(np.abs(right - confidence))


def ece_adaptive(top, correct, n_bins: int = 15):
    """Return the calibration error over bins of equal mass; a tie block that straddles bins is spread evenly."""
    n = _count(top)
    level, block = np.unique(top, return_inverse=True)
    ends = np.append(0, np.cumsum(np.bincount(block)))
    gaps = np.append(0, np.cumsum(np.bincount(block, weights=correct - level[block])))
    smaller, larger = divmod(n, n_bins)  # np.array_split: the first bins hold one sample more
    edges = np.append(0, np.cumsum(smaller + (np.arange(n_bins) < larger)))
    return np.abs(np.diff(np.interp(edges, ends, gaps))).sum() / n


def ece_classwise(probabilities, labels, n_bins: int = 15):
    """Return the mean over classes of the calibration error of p_k against 1[y = k] (Kull et al. 2019)."""
    return np.abs(class_gaps(probabilities, labels, n_bins)).sum(1).mean() / _count(labels)


def class_gaps(probabilities: np.ndarray, labels: np.ndarray, n_bins: int) -> np.ndarray:
    """Return, (C, n_bins), how often each class was the label minus the sum of its p, by bin of p; additive."""
    n_classes = probabilities.shape[1]
    # Nearly every p of many classes is in the first bin, whose gap is the whole minus the other bins.
    at = np.flatnonzero(probabilities.ravel() > 1 / n_bins)
    row, column = np.divmod(at, n_classes)
    p = probabilities.ravel()[at]
    cell = column * n_bins + _bins(p, n_bins)
    gaps = np.bincount(cell, weights=(labels[row] == column) - p, minlength=n_classes * n_bins)
    gaps = gaps.reshape(n_classes, n_bins)
    gaps[:, 0] = np.bincount(labels, minlength=n_classes) - probabilities.sum(0) - gaps[:, 1:].sum(1)
    return gaps


def nll(log_probability, weights=None):
    """Return the mean of -log p, natural log; log_probability: (n,) of each row's label."""
    return -(log_probability @ _columns(weights, len(log_probability))) / _count(log_probability)


def brier(squared_error, weights=None):
    """Return the mean squared error of the probabilities (Brier 1950), in [0, 2]; takes `squared_error`, (n,)."""
    return squared_error @ _columns(weights, len(squared_error)) / _count(squared_error)


def squared_error(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return sum_k (p_k - 1[y = k])^2 of each row, (n,)."""
    error = np.array(probabilities, dtype=np.float64)
    error[np.arange(len(error)), labels] -= 1
    return np.einsum("nc,nc->n", error, error)


def reliability_bins(top: np.ndarray, correct: np.ndarray, n_bins: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return mean confidence, accuracy and share of samples, (n_bins,) each; the first two are NaN where empty."""
    n, bins = _count(top), _bins(top, n_bins)
    counts = np.bincount(bins, minlength=n_bins)
    sums = [np.bincount(bins, weights=values, minlength=n_bins) for values in (top, correct)]
    confidence, right = (_quotient(total, counts, "no samples") for total in sums)
    return confidence, right, counts / n


# ---- shared arithmetic ----


@lru_cache(maxsize=8)
def _summed_tails(n: int) -> np.ndarray:
    """Return Q, (n + 1,): Q[k] is the sum over j = 1..k of 1/j + 1/(j+1) + ... + 1/n.

    That tail is what an error at rank j adds to the sum of E_k / k, so errors spread evenly over ranks
    a + 1..b add, each, the mean (Q[b] - Q[a]) / (b - a). Q[n] = n, exactly.
    """
    tails = np.cumsum(1 / np.arange(n, 0, -1))[::-1]
    return np.concatenate([[0], np.cumsum(tails)[:-1], [n]])


def _count(samples) -> int:
    if len(samples) == 0:
        raise Undefined("no samples")
    return len(samples)


def _ranking(confidence, correct) -> Ranking:
    return confidence if isinstance(confidence, Ranking) else rank(confidence, correct)


def _columns(weights, n: int) -> np.ndarray:
    """Return float64 weights as (n, n_resamples); of the sample itself, (n,) ones."""
    return np.ones(n) if weights is None else np.ascontiguousarray(weights.T, dtype=np.float64)


def _bins(p: np.ndarray, n_bins: int) -> np.ndarray:
    """Return the bin (lo, hi] of each p; p = 0 is in the first."""
    return np.searchsorted(np.arange(1, n_bins) / n_bins, p, side="left")


def _quotient(above, below, reason: str):
    """Return above / below; where below is 0, NaN in an array, Undefined(reason) for a single number."""
    if np.ndim(below):
        return np.divide(above, below, out=np.full(np.shape(below), np.nan), where=below != 0)
    if below == 0:
        raise Undefined(reason)
    return above / below


def _one_sided(ranking: Ranking) -> str:
    return "no correct samples" if np.all(ranking.n_errors) else "no wrong samples"


@dataclass(frozen=True)
class Metric:
    """A metric as a function of one argument: what `evaluation` knows of one score on one split."""

    direction: int  # +1 if higher is better, -1 if lower
    of: str  # accuracy, ranking or ood: a Ranking; calibration: an `evaluation.Calibration`
    function: Callable
    resampled: bool = True  # whether it has a form for resamples


METRICS = {
    "accuracy": Metric(+1, "accuracy", accuracy),
    "auroc": Metric(+1, "ranking", auroc),
    "aurc": Metric(-1, "ranking", aurc),
    "e-aurc": Metric(-1, "ranking", e_aurc),
    "naurc": Metric(-1, "ranking", naurc),
    "augrc": Metric(-1, "ranking", augrc),
    "ece": Metric(-1, "calibration", lambda c: ece(c.top, c.correct, c.n_bins, c.weights)),
    "ece-adaptive": Metric(-1, "calibration", lambda c: ece_adaptive(c.top, c.correct, c.n_bins), False),
    "ece-classwise": Metric(-1, "calibration", lambda c: np.abs(c.class_gaps).sum(1).mean() / len(c.top), False),
    "mce": Metric(-1, "calibration", lambda c: mce(c.top, c.correct, c.n_bins), False),
    "nll": Metric(-1, "calibration", lambda c: nll(c.log_probability, c.weights)),
    "brier": Metric(-1, "calibration", lambda c: brier(c.squared_error, c.weights)),
    "ood-auroc": Metric(+1, "ood", auroc),
    "ood-aupr-in": Metric(+1, "ood", aupr_in, False),
    "ood-aupr-out": Metric(+1, "ood", aupr_out),
    "ood-fpr95": Metric(-1, "ood", fpr95),
}
PARAMETRISED = {  # a percentage follows, as in coverage-at-sac-99.5
    "coverage-at-sac": Metric(+1, "ranking", coverage_at_accuracy),
    "risk-at-coverage": Metric(-1, "ranking", risk_at_coverage),
}


@lru_cache
def metric(name: str) -> Metric:
    """Return the metric of that name, its percentage filled in."""
    if name in METRICS:
        return METRICS[name]
    base, _, percent = name.rpartition("-")
    if base in PARAMETRISED and percent.replace(".", "", 1).isdigit() and 0 < float(percent) <= 100:
        return replace(PARAMETRISED[base], function=partial(PARAMETRISED[base].function, percent=percent))
    known = [*METRICS, *(f"{base}-PERCENT" for base in PARAMETRISED)]
    raise UserError(f"'{name}' is not a metric; metrics: {', '.join(known)}")


def direction(name: str) -> int:
    """Return +1 if a higher value of the metric is better, -1 if a lower one is."""
    return metric(name).direction
