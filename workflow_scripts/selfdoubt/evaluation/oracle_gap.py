"""The gap between an accuracy-coverage curve and that of a perfect ordering, in parts. Definitions: docs/metrics.md.

After Rabanser & Papernot (NeurIPS 2025), whose five terms bound the gap from above; the parts here add up to it. Their
term of finite samples has a constant that they leave open, and of shift there is no sample: both are in `rest`, beside
which stands its standard deviation if the labels had been drawn from those of people.

A curve is (n,), a value for each k = 1..n of accepted images; its mean over k is an area.
"""

import numpy as np

from selfdoubt.evaluation.rankings import rank

PARTS = ("noise", "approximation", "ranking", "rest")  # their sum is the gap
BOUNDS = ("bound-noise", "bound-approximation")  # terms of the paper, which bound the gap with the others from above


def accepted_mean(confidence: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the curve of the mean value among the k most confident images; ties are averaged over their orders.

    confidence, values: (n,). Raises Undefined if there are no images or a confidence is not a number.
    """
    return accepted_sum(confidence, values) / np.arange(1, len(values) + 1)


def accepted_sum(confidence: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the curve of the sum of values of the k most confident images; ties are averaged over their orders."""
    ranking = rank(confidence, np.ones(len(confidence), dtype=bool))
    of_block = np.add.reduceat(values[ranking.order].astype(np.float64), ranking.before)
    return np.cumsum(np.repeat(of_block / ranking.size, ranking.size))


def upper_bound(accuracy: float, n: int) -> np.ndarray:
    """Return the accuracy-coverage curve of a perfect ordering: min(1, accuracy / coverage)."""
    return np.minimum(1.0, accuracy * n / np.arange(1, n + 1))


def gap(confidence: np.ndarray, correct: np.ndarray) -> np.ndarray:
    """Return the curve of the gap to the perfect ordering of the same predictions; its mean is the e-AURC.

    confidence: (n,). correct: (n,) bool.
    """
    return upper_bound(correct.mean(), len(correct)) - accepted_mean(confidence, correct)


def parts(confidence: np.ndarray, correct: np.ndarray, agreement: np.ndarray, most: np.ndarray) -> dict:
    """Return the curves of PARTS, which add up to the gap, and of BOUNDS.

    agreement: (n,) the fraction of people who gave the predicted class, in place of P(correct | image). most: (n,) the
    largest such fraction of any class, that of the Bayes classifier.
    noise, ranking >= 0; approximation is negative where the predictions are of a kind that is easier to order than
    those of the Bayes classifier; rest has either sign.
    """
    n = len(correct)
    noise = upper_bound(most.mean(), n) - accepted_mean(most, most)
    best = accepted_mean(agreement, agreement)
    found = accepted_mean(confidence, agreement)
    own = upper_bound(agreement.mean(), n)
    curves = {
        "noise": noise,
        "approximation": own - best - noise,
        "ranking": best - found,
        "rest": gap(confidence, correct) - own + found,
    }
    bounds = (accepted_mean(confidence, 1 - most), accepted_mean(confidence, most - agreement))
    return curves | dict(zip(BOUNDS, bounds, strict=True))


def rest_deviation(confidence: np.ndarray, agreement: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the standard deviations of `rest` if correctness were drawn from `agreement`: of the curve, of its mean.

    The bound's kink is taken where it is expected, at k = sum of agreement: exact up to terms of order 1 / n.
    """
    n, variance = len(agreement), agreement * (1 - agreement)
    k = np.arange(1, n + 1)
    beyond = k > agreement.sum()  # where the bound falls with every error
    accepted = accepted_sum(confidence, variance)
    of_curve = np.sqrt(np.maximum(np.where(beyond, accepted[-1] - accepted, accepted), 0)) / k
    ranking = rank(confidence, np.ones(n, dtype=bool))
    tails = np.cumsum((1 / k)[::-1])[::-1]  # what an image at rank k adds to the summed accuracies
    of_block = np.add.reduceat(tails, ranking.before) / ranking.size
    weights = (1 / k)[beyond].sum() - np.repeat(of_block, ranking.size)
    return of_curve, float(np.sqrt((weights**2 * variance[ranking.order]).sum()) / n)


def gain_of_reordering(confidence: np.ndarray, other: np.ndarray, correct: np.ndarray) -> np.ndarray:
    """Return the curve of what ordering by `other` instead of `confidence` gains; negative where it loses."""
    return accepted_mean(other, correct) - accepted_mean(confidence, correct)
