"""Calibration errors and proper scores: is a fraction p of the samples of probability p correct?

Definitions: docs/metrics.md. `ece` and `mce` take (top, correct, n_bins), or a `Bins` computed once from them, of which
`resampled(weights)` stands for many bootstrap resamples at once; so does `ece_adaptive` with a `Rising`. `nll` and
`brier` take the weights themselves. Weights are (n_resamples, n) counts.
Without samples no number exists: Undefined is raised.
"""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from selfdoubt.evaluation.rankings import round_to_tie
from selfdoubt.evaluation.undefined import Undefined, count, quotient
from selfdoubt.runtime.threads import cached_property


@dataclass(frozen=True, eq=False)
class Bins:
    """Samples in order of their equal-width bin of confidence."""

    sums: np.ndarray  # of correctness minus confidence: (n_bins,), or (n_resamples, n_bins) where resampled
    order: np.ndarray  # (n,) row numbers, bin after bin
    gaps: np.ndarray  # (n,) correctness minus confidence, in that order
    ends: np.ndarray  # (n_bins + 1,) where the bins begin and end in it
    weights: np.ndarray | None = None  # (n_resamples, n), where resampled

    def resampled(self, weights: np.ndarray) -> "Bins":
        """Return the bins of resamples; weights: (n_resamples, n) counts."""
        drawn = np.take(weights.T, self.order, axis=0)  # (n, n_resamples)
        sums = [_weighted_sum(self.gaps[a:b], drawn[a:b]) for a, b in pairwise(self.ends)]
        return replace(self, sums=np.stack(sums, axis=-1), weights=weights)

    @cached_property
    def counts(self) -> np.ndarray:
        """The samples in each bin: (n_bins,), or (n_resamples, n_bins) where resampled."""
        if self.weights is None:
            return np.diff(self.ends)
        drawn = np.take(self.weights.T, self.order, axis=0)
        return np.stack([drawn[a:b].sum(0, dtype=np.int64) for a, b in pairwise(self.ends)], axis=-1)


def bin_gaps(top: np.ndarray, correct: np.ndarray, n_bins: int) -> Bins:
    """Sort samples into equal-width bins (lo, hi] of the largest probability `top`, (n,); correct: (n,) bool."""
    count(top)
    bins = bin_of(top, n_bins)
    order = np.argsort(bins, kind="stable")
    gaps = np.subtract(correct, top, dtype=np.float64)
    sums = np.bincount(bins, weights=gaps, minlength=n_bins)
    return Bins(sums, order, gaps[order], np.append(0, np.cumsum(np.bincount(bins, minlength=n_bins))))


def ece(top, correct=None, n_bins: int = 15):
    """Return the expected calibration error over equal-width bins (Naeini et al. 2015)."""
    bins = top if isinstance(top, Bins) else bin_gaps(top, correct, n_bins)
    return np.abs(bins.sums).sum(-1) / len(bins.gaps)


def mce(top, correct=None, n_bins: int = 15):
    """Return the largest gap between accuracy and mean confidence of any equal-width bin."""
    bins = top if isinstance(top, Bins) else bin_gaps(top, correct, n_bins)
    return np.nanmax(quotient(np.abs(bins.sums), bins.counts, "no samples"), axis=-1)


@dataclass(frozen=True, eq=False)
class Rising:
    """Samples in order of rising confidence, as tie blocks."""

    order: np.ndarray  # (n,) row numbers, the least confident first
    gaps: np.ndarray  # (n,) correctness minus confidence, in that order
    ends: np.ndarray  # (n_blocks,) where the tie blocks end in it
    weights: np.ndarray | None = None  # (n_resamples, n), where resampled

    def resampled(self, weights: np.ndarray) -> "Rising":
        """Return the samples of resamples; weights: (n_resamples, n) counts, each row of sum n."""
        return replace(self, weights=weights)


def in_rising_order(top: np.ndarray, correct: np.ndarray) -> Rising:
    """Sort samples by the largest probability `top`, (n,); correct: (n,) bool."""
    rising = round_to_tie(np.asarray(top, dtype=np.float64))
    n, order = count(rising), np.argsort(rising)
    rising = rising[order]
    gaps = np.subtract(correct, top, dtype=np.float64)[order]
    return Rising(order, gaps, np.append(np.flatnonzero(rising[1:] != rising[:-1]) + 1, n))


def ece_adaptive(top, correct=None, n_bins: int = 15):
    """Return the calibration error over bins of equal mass; a tie block that straddles bins is spread evenly."""
    rising = top if isinstance(top, Rising) else in_rising_order(top, correct)
    n = len(rising.order)
    smaller, larger = divmod(n, n_bins)  # np.array_split: the first bins hold one sample more
    edges = np.append(0, np.cumsum(smaller + (np.arange(n_bins) < larger)))

    def error(counts: np.ndarray, gaps: np.ndarray) -> float:
        """Return the summed gaps of the bins; counts, gaps: (n,) of each sample, in rising order."""
        until, gaps_until = (np.append(0, np.cumsum(values)[rising.ends - 1]) for values in (counts, gaps))
        return np.abs(np.diff(np.interp(edges, until, gaps_until))).sum() / n

    if rising.weights is None:
        return error(np.ones(n, dtype=np.int64), rising.gaps)
    drawn = np.ascontiguousarray(np.take(rising.weights.T, rising.order, axis=0).T)
    return np.array([error(counts, counts * rising.gaps) for counts in drawn])


def ece_classwise(probabilities, labels, n_bins: int = 15):
    """Return the mean over classes of the ECE of p_k, (n, C), against 1[y = k], labels y (n,) (Kull et al. 2019)."""
    gaps = ClassGaps(probabilities.shape[1], n_bins)
    row, column = np.nonzero(probabilities > 1 / n_bins)
    gaps.add(probabilities.sum(0), labels, row, column, probabilities[row, column])
    return gaps.error(count(labels))


class ClassGaps:
    """How often each class was the label, minus the sum of its probability, by bin of that probability.

    Nearly every probability of many classes lies in the first bin, whose gap is the whole minus the other bins. So only
    the probabilities in other bins are binned one by one.
    """

    def __init__(self, n_classes: int, n_bins: int):
        self.n_classes, self.n_bins = n_classes, n_bins
        self._whole = np.zeros(n_classes)
        self._cells: list[np.ndarray] = []
        self._gaps: list[np.ndarray] = []

    def add(self, sums: np.ndarray, labels: np.ndarray, row: np.ndarray, column: np.ndarray, p: np.ndarray) -> None:
        """Add samples.

        sums: (C,) of their probabilities. labels: (n,). row, column, p: of every probability above 1 / n_bins;
        smaller ones may be among them.
        """
        self._whole += np.bincount(labels, minlength=self.n_classes) - sums
        self._cells.append(column * self.n_bins + bin_of(p, self.n_bins))
        self._gaps.append((labels[row] == column) - p)

    def merge(self, other: "ClassGaps") -> None:
        """Add all that was added to another."""
        self._whole += other._whole
        self._cells += other._cells
        self._gaps += other._gaps

    @cached_property
    def table(self) -> np.ndarray:
        """The gaps, (C, n_bins); nothing is added after this."""
        cells, gaps = np.concatenate(self._cells), np.concatenate(self._gaps)
        table = np.bincount(cells, weights=gaps, minlength=self.n_classes * self.n_bins)
        table = table.reshape(self.n_classes, self.n_bins)
        table[:, 0] = self._whole - table[:, 1:].sum(1)
        return table

    def error(self, n: int) -> float:
        """Return the class-wise calibration error of the n samples that were added."""
        return np.abs(self.table).sum(1).mean() / n


@dataclass(frozen=True, eq=False)
class Calibration:
    """The probabilities of one score on one split, and which predictions are correct."""

    top: np.ndarray  # (n,) the probability of the predicted class, mostly the largest
    correct: np.ndarray  # (n,) bool
    # None, all three, where the probabilities of all classes are not known
    log_probability: np.ndarray | None  # (n,) of the label
    squared_error: np.ndarray | None  # (n,) summed over classes
    class_gaps: ClassGaps | None
    n_bins: int  # equal-width or equal-mass
    source: "Calibration | None" = None  # where resampled: of what
    weights: np.ndarray | None = None  # (n_resamples, n), by which

    @cached_property
    def bins(self) -> Bins:
        """The samples by bin of the largest probability."""
        if self.source is None:
            return bin_gaps(self.top, self.correct, self.n_bins)
        return self.source.bins.resampled(self.weights)

    @cached_property
    def rising(self) -> Rising:
        """The samples in order of the largest probability."""
        if self.source is None:
            return in_rising_order(self.top, self.correct)
        return self.source.rising.resampled(self.weights)

    def resampled(self, weights: np.ndarray) -> "Calibration":
        """Return the calibration of resamples; weights: (n_resamples, n) counts."""
        return replace(self, source=self, weights=weights)


def of_all_classes(known):
    """Return what is computed from the probabilities of all classes; raises Undefined where they are not known."""
    if known is None:
        raise Undefined("needs the probabilities of all classes, and the confidence is that of one")
    return known


def nll(log_probability, weights=None):
    """Return the mean of -log p, natural log; log_probability: (n,) of each row's label."""
    return -_mean(log_probability, weights)


def brier(squared_error, weights=None):
    """Return the mean squared error of the probabilities (Brier 1950), in [0, 2].

    squared_error: (n,) sum_k (p_k - 1[y = k])^2 of each row.
    """
    return _mean(squared_error, weights)


def reliability_bins(top: np.ndarray, correct: np.ndarray, n_bins: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return mean confidence, accuracy and fraction of samples, (n_bins,) each; the first two are NaN where empty."""
    n, bins = count(top), bin_of(top, n_bins)
    counts = np.bincount(bins, minlength=n_bins)
    sums = [np.bincount(bins, weights=values, minlength=n_bins) for values in (top, correct)]
    confidence, accuracy = (quotient(total, counts, "no samples") for total in sums)
    return confidence, accuracy, counts / n


def bin_of(p: np.ndarray, n_bins: int) -> np.ndarray:
    """Return the bin (lo, hi] of each p; p = 0 is in the first.

    Rounded, since what was computed as 0.6000000000000001 was 0.6, which is in the bin that ends there.
    """
    edges = round_to_tie(np.arange(1, n_bins) / n_bins)
    return np.searchsorted(edges, round_to_tie(np.asarray(p, dtype=np.float64)), side="left")


def _mean(values: np.ndarray | None, weights: np.ndarray | None):
    n = count(of_all_classes(values))
    return (np.sum(values) if weights is None else _weighted_sum(values, weights.T)) / n


def _weighted_sum(values: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return the sum of values (m,) under each of the weights (m, n_resamples)."""
    return np.einsum("n,nr->r", values, columns)  # not @: how that rounds depends on the number of threads
