"""Ranking metrics: are errors where confidence is low? Definitions: docs/metrics.md.

A metric takes (confidence, correct), or a `Ranking` computed once from them. `Ranking.resampled(weights)` stands for
many bootstrap resamples at once; the same functions then return one value for each. Resampled arrays are never built:
all that is needed of a resample is how often the samples up to each error were drawn.

Where a number does not exist, Undefined is raised; in a resample it is NaN.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np

from selfdoubt.evaluation.undefined import Undefined, count, quotient
from selfdoubt.runtime.threads import cached_property


@dataclass(frozen=True, eq=False)
class Ranking:
    """Samples in order of falling confidence, as tie blocks, the most confident first.

    Arrays are (n_blocks,), or (n_resamples, n_blocks) where resampled; a resampled ranking has no blocks without an
    error, which no number but `summed_precision` needs.
    """

    n: int
    before: np.ndarray  # samples in the blocks before this one
    size: np.ndarray  # samples in this block
    errors: (
        np.ndarray
    )  # incorrect samples in this block; the same array as `size` where all samples of every block are incorrect
    order: np.ndarray | None = None  # (n,) row numbers, the most confident first
    incorrect: np.ndarray | None = None  # (n,) bool, in that order
    source: "Ranking | None" = None  # where resampled: of what
    weights: np.ndarray | None = None  # (n_resamples, n), by which

    @cached_property
    def n_errors(self):
        """The number of incorrect samples, int or (n_resamples,)."""
        return self.errors.sum(-1)

    @cached_property
    def correct_before(self) -> np.ndarray:
        """Correct samples in the blocks before this one."""
        return self.before - (np.cumsum(self.errors, axis=-1, dtype=self.errors.dtype) - self.errors)

    @cached_property
    def accuracy_before(self) -> np.ndarray:
        """The accuracy of the blocks before this one; 0 before the first."""
        return self.correct_before / np.maximum(self.before, 1)

    @cached_property
    def twice_won(self):
        """Twice the number of pairs (correct, incorrect) whose correct one is more confident, ties counting half."""

        def won(before: np.ndarray, size: np.ndarray, errors: np.ndarray):
            # The samples before an error, its own block counted half, are correct ones and, E^2 / 2 in all, errors.
            return np.multiply(errors, 2 * before + size, dtype=np.int64).sum()

        return self._of_each(won) - self.n_errors**2

    @cached_property
    def summed_risk(self):
        """The sum of E_k / k over k = 1..n, with E_k growing linearly inside a tie block."""
        tails = _summed_tails(self.n)

        def risk(before: np.ndarray, size: np.ndarray, errors: np.ndarray):
            gain = tails.take(before + size)
            gain -= tails.take(before)
            if self.errors is not self.size:
                gain *= errors / np.maximum(size, 1)
            return gain.sum()

        return self._of_each(risk)

    def _of_each(self, function: Callable):
        """Return function(before, size, errors), of each resample by itself, so that temporary arrays stay small."""
        if self.before.ndim == 1:
            return function(self.before, self.size, self.errors)
        return np.array([function(*rows) for rows in zip(self.before, self.size, self.errors, strict=True)])

    @cached_property
    def best_summed_risk(self):
        """`summed_risk` with every error ranked last."""
        return self.n - _summed_tails(self.n)[self.n - self.n_errors]

    @cached_property
    def summed_precision(self):
        """The sum, over correct samples, of the fraction of correct ones among all that are at least as confident."""

        def precision(until: np.ndarray, errors_until: np.ndarray):
            correct_until = until - errors_until
            return (np.diff(correct_until, prepend=0) * (correct_until / np.maximum(until, 1))).sum()

        if self.source is None:
            return precision(self.before + self.size, np.cumsum(self.errors))
        ends = self.source.before + self.source.size
        drawn = np.take(self.weights.T, self.source.order, axis=0)  # (n, n_resamples), the most confident first
        until = _cumulative(drawn).take(ends, axis=1)
        errors_until = _cumulative(drawn * self.source.incorrect[:, None]).take(ends, axis=1)
        return np.array([precision(*rows) for rows in zip(until, errors_until, strict=True)])

    @cached_property
    def excess(self):
        """`summed_risk` less `best_summed_risk`; rounding must not make it negative."""
        return np.maximum(self.summed_risk - self.best_summed_risk, 0.0)

    @cached_property
    def _with_errors(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the first sample, the last sample + 1 and the errors of each block with an error."""
        chosen = self.errors > 0
        chosen[0] |= not chosen.any()  # a ranking has at least one block
        return self.before[chosen], (self.before + self.size)[chosen], self.errors[chosen]

    def resampled(self, weights: np.ndarray) -> "Ranking":
        """Return the rankings of resamples; weights: (n_resamples, n) counts, each row of sum n.

        This is fastest for weights as `bootstrap.resample_weights` draws them: uint8, contiguous along resamples.
        """
        if len(self.size) == 1:  # without an order the errors are all that there is
            drawn_errors = weights.T[self.order[self.incorrect]].sum(0, dtype=np.int64)[:, None]
            size = np.full_like(drawn_errors, self.n)
            return Ranking(self.n, np.zeros_like(size), size, drawn_errors, source=self, weights=weights)
        start, end, errors = self._with_errors
        drawn = np.take(weights.T, self.order, axis=0)  # (n, n_resamples), the most confident first
        until = _cumulative(drawn)
        before = until.take(start, axis=1)
        size = until.take(end, axis=1)
        size -= before
        if (end - start == errors).all():
            return Ranking(self.n, before, size, size, source=self, weights=weights)
        errors_until = _cumulative(drawn[self.incorrect])
        last = np.append(0, np.cumsum(errors))
        errors = np.diff(errors_until.take(last, axis=1), axis=1)
        return Ranking(self.n, before, size, errors, source=self, weights=weights)


def rank(confidence: np.ndarray, correct: np.ndarray) -> Ranking:
    """Sort samples by confidence, once for all ranking metrics.

    confidence: (n,) any monotone score, higher is more confident. correct: (n,) bool; for the `ood-` metrics
    the samples are those of both splits and "correct" means in-distribution.
    Raises Undefined if there are no samples or a confidence is not a number.
    """
    confidence, correct = np.asarray(confidence, dtype=np.float64), np.asarray(correct, dtype=bool)
    n = count(confidence)
    if np.isnan(confidence).any():
        raise Undefined(f"the confidence of row {np.isnan(confidence).argmax()} is not a number")
    whole = _whole_numbers(n)
    order = np.argsort(-confidence).astype(whole)
    falling = confidence[order]
    before = np.append(0, np.flatnonzero(falling[1:] != falling[:-1]) + 1).astype(whole)
    incorrect = ~correct[order]
    errors = np.add.reduceat(incorrect, before, dtype=whole)
    return Ranking(n, before, np.diff(before, append=whole(n)), errors, order, incorrect)


def round_to_tie(confidence: np.ndarray, least: float = 1.0) -> np.ndarray:
    """Return confidences (n,) rounded to 40 binary digits of themselves, or of `least` where that is more.

    Equal numbers that were computed in another order, such as those of a row and of a permutation of it, differ by
    some 1e-16 of what they were computed from, and would not be tied.
    """
    digits = np.frexp(np.maximum(np.abs(confidence), least))[1] - 40
    return np.ldexp(np.round(np.ldexp(confidence, -digits)), digits)


def rank_equal(correct: np.ndarray) -> Ranking:
    """Return the ranking of samples of equal confidence: all that accuracy needs."""
    correct = np.asarray(correct, dtype=bool)
    n = count(correct)
    size, incorrect = np.array([n]), ~correct
    errors = np.array([np.count_nonzero(incorrect)])
    return Ranking(n, np.zeros(1, dtype=np.int64), size, errors, np.arange(n), incorrect)


def accuracy(correct):
    """Return the fraction of correct samples."""
    ranking = correct if isinstance(correct, Ranking) else rank_equal(correct)
    return (ranking.n - ranking.n_errors) / ranking.n


def auroc(confidence, correct=None):
    """Return P(a correct sample is more confident than an incorrect one) + half of P(equal)."""
    ranking = _ranking(confidence, correct)
    n_correct = ranking.n - ranking.n_errors
    return quotient(ranking.twice_won, 2 * n_correct * ranking.n_errors, _one_sided(ranking))


def aurc(confidence, correct=None):
    """Return the area under the risk-coverage curve, (1/n) sum E_k / k (Geifman & El-Yaniv 2017)."""
    ranking = _ranking(confidence, correct)
    return ranking.summed_risk / ranking.n


def e_aurc(confidence, correct=None):
    """Return AURC minus the least AURC that any order of these samples has (Geifman et al. 2019)."""
    ranking = _ranking(confidence, correct)
    return ranking.excess / ranking.n


def naurc(confidence, correct=None):
    """Return e-AURC over that of a random order (Cattelan & Silva 2024): 0 the best, 1 random."""
    ranking = _ranking(confidence, correct)
    return quotient(ranking.excess, ranking.n_errors - ranking.best_summed_risk, _one_sided(ranking))


def augrc(confidence, correct=None):
    """Return the area under the generalised risk-coverage curve (Traub et al. 2024)."""
    ranking = _ranking(confidence, correct)
    n_correct = ranking.n - ranking.n_errors
    twice_lost = 2 * n_correct * ranking.n_errors - ranking.twice_won
    return (twice_lost + ranking.n_errors**2) / (2 * ranking.n**2)


def coverage_at_accuracy(confidence, correct=None, *, percent: float | str):
    """Return the largest coverage whose selective accuracy is at least percent / 100; 0 if there is none."""
    ranking = _ranking(confidence, correct)
    # Inside a run of correct samples accuracy rises, so the last sample before an error block is the candidate.
    wanted = float(_exact_fraction(percent))  # two fractions of counts differ by far more than a float rounds
    reached = ranking.accuracy_before >= wanted
    last = reached.shape[-1] - 1 - reached[..., ::-1].argmax(-1)  # where none is reached, that is the last of all
    best = np.where(_at(reached, last), _at(ranking.before, last), 0)
    return np.where(accuracy(ranking) >= wanted, ranking.n, best) / ranking.n


def risk_at_coverage(confidence, correct=None, *, percent: float | str):
    """Return E_k / k among the k = ceil(n percent / 100) most confident samples."""
    ranking = _ranking(confidence, correct)
    k = math.ceil(ranking.n * _exact_fraction(percent))
    beyond = ranking.before >= k
    first_beyond = np.where(beyond[..., -1], beyond.argmax(-1), beyond.shape[-1])
    last = np.maximum(first_beyond - 1, 0)  # the block that holds the k-th sample
    before, size, errors = (_at(values, last) for values in (ranking.before, ranking.size, ranking.errors))
    errors_before = before - _at(ranking.correct_before, last)
    return (errors_before + errors * np.clip((k - before) / np.maximum(size, 1), 0, 1)) / k


def risk_coverage_curve(confidence: np.ndarray, correct: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return coverage k / n and risk E_k / k for k = 1..n."""
    ranking = rank(confidence, correct)
    k = np.arange(1, ranking.n + 1)
    ends, errors = np.append(0, ranking.before + ranking.size), np.append(0, np.cumsum(ranking.errors))
    return k / ranking.n, np.interp(k, ends, errors) / k


# ---- out of distribution: a ranking whose "correct" samples are the in-distribution ones ----


def rank_ood(inside: np.ndarray, outside: np.ndarray) -> Ranking:
    """Rank the confidence of in-distribution samples (n,) and of others (m,) together."""
    return rank(np.concatenate([inside, outside]), np.arange(len(inside) + len(outside)) < len(inside))


def aupr_in(confidence, correct=None):
    """Return the average precision of finding in-distribution samples by high confidence."""
    ranking = _ranking(confidence, correct)
    return _of_both(ranking.summed_precision, ranking.n - ranking.n_errors, ranking)


def aupr_out(confidence, correct=None):
    """Return the average precision of finding out-of-distribution samples by low confidence."""
    ranking = _ranking(confidence, correct)
    at_most = ranking.n - ranking.before  # samples of at most the confidence of this block
    errors_at_most = np.expand_dims(ranking.n_errors, -1) - (ranking.before - ranking.correct_before)
    precision = errors_at_most / np.maximum(at_most, 1)
    return _of_both((ranking.errors * precision).sum(-1), ranking.n_errors, ranking)


def fpr95(confidence, correct=None):
    """Return the fraction of OOD samples above the largest threshold that keeps 95 % of the ID samples."""
    ranking = _ranking(confidence, correct)
    enough = 95 * np.expand_dims(ranking.n - ranking.n_errors, -1)
    too_few = 100 * ranking.correct_before.astype(np.int64) < enough  # the threshold is lower still
    return _of_both((ranking.errors * too_few).sum(-1), ranking.n_errors, ranking)


# ---- shared arithmetic ----


@lru_cache
def _exact_fraction(percent: float | str) -> Fraction:
    """Return percent / 100 of the decimal digits as written."""
    return Fraction(str(percent)) / 100


@lru_cache(maxsize=8)
def _summed_tails(n: int) -> np.ndarray:
    """Return Q, (n + 1,): Q[k] is the sum over j = 1..k of 1/j + 1/(j+1) + ... + 1/n.

    That tail is what an error at rank j adds to the sum of E_k / k, so errors spread evenly over ranks
    a + 1..b add, each, the mean (Q[b] - Q[a]) / (b - a). Q[n] = n, exactly.
    """
    tails = np.cumsum(1 / np.arange(n, 0, -1, dtype=np.longdouble))[::-1]  # a sum of n roundings, kept small
    return np.concatenate([[0], np.cumsum(tails)[:-1], [n]]).astype(np.float64)


def _cumulative(drawn: np.ndarray) -> np.ndarray:
    """Return the sums of the first 0, 1, ..., m rows, (n_resamples, m + 1), of counts (m, n_resamples)."""
    m, n_resamples = drawn.shape
    until = np.empty((n_resamples, m + 1), dtype=_whole_numbers(m))
    until[:, 0] = 0
    until[:, 1:] = drawn.T
    return np.cumsum(until, axis=1, out=until, dtype=until.dtype)  # in place and of one type: eight times as fast


def _whole_numbers(largest: int) -> type[np.signedinteger]:
    """Return the type of positions and counts up to `largest`, added or doubled: half the memory where 4 bytes do."""
    return np.int32 if largest < 2**29 else np.int64


def _at(values: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Return the entry at `index` of the last axis: one, or one for each resample."""
    return values[index] if values.ndim == 1 else values[np.arange(len(values)), index]


def _ranking(confidence, correct) -> Ranking:
    return confidence if isinstance(confidence, Ranking) else rank(confidence, correct)


def _of_both(part, whole, ranking: Ranking):
    """Return part / whole where there are samples both in and out of distribution."""
    n_correct = ranking.n - ranking.n_errors
    reason = "no out-of-distribution samples" if np.any(n_correct) else "no in-distribution samples"
    return quotient(part, np.where((ranking.n_errors > 0) & (n_correct > 0), whole, 0), reason)


def _one_sided(ranking: Ranking) -> str:
    return "no correct samples" if np.all(ranking.n_errors) else "no incorrect samples"
