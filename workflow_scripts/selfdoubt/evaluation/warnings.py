"""Warnings about models and splits that carry no claim: texts for the tables, the logs and the page.

Each function returns a text, or None where there is nothing to warn of. Why these limits: docs/metrics.md.
"""

import numpy as np

from selfdoubt.evaluation.failures import mixed_sizes
from selfdoubt.evaluation.predictions import LEAST
from selfdoubt.evaluation.splits import is_ood, mean_splits, needed_splits
from selfdoubt.settings.metrics import metric

LEVEL = 0.05  # of the test of a model against the majority class
FEWEST_IMAGES = 30  # of each kind that a metric sets apart
MOST_OF_NLL = 0.05  # of the sum, from probabilities that were written as 0: the smallest difference of interest
MOST_TIED = 0.05  # of the images, at the largest of rounded confidences


def of_model(labels: np.ndarray, correct: np.ndarray) -> str | None:
    """Warn of predictions that are not significantly better than the most frequent class for every image.

    Exact one-sided sign test (McNemar 1947) on the images of which just one of the two is correct.
    labels: (n,) classes, of one image at least. correct: (n,) bool.
    """
    classes, sizes = np.unique(labels, return_counts=True)
    majority = labels == classes[sizes.argmax()]
    if _at_least(np.count_nonzero(correct & ~majority), np.count_nonzero(correct != majority)) < LEVEL:
        return None
    found = f"{majority.mean():.1%} of the images, exact sign test at {LEVEL:.0%}"
    return f"accuracy is not significantly above that of always predicting the most frequent class ({found})"


def of_zeros(log_probability: np.ndarray) -> str | None:
    """Warn of an NLL that rests on probabilities that were rounded to 0; log_probability: (n,) of the labels."""
    zero = log_probability < np.log(LEAST) + 1
    if log_probability[zero].sum() >= MOST_OF_NLL * log_probability.sum():
        return None
    part = log_probability[zero].sum() / log_probability.sum()
    found = f"of {zero.sum():,} of {len(zero):,} images, counted as {LEAST:g}"
    return f"{part:.0%} of the NLL come from labels whose probability was written as 0 ({found})"


def of_ties(confidence: np.ndarray, correct: np.ndarray, decimal_places: int) -> str | None:
    """Warn of a ranking in which many images, of which some are incorrect, share the largest of rounded confidences.

    confidence: (n,) of one image at least. correct: (n,) bool.
    """
    tied = confidence == confidence.max()
    if tied.mean() <= MOST_TIED or correct[tied].all():
        return None
    found = f"of numbers with {decimal_places} decimal place{'s' * (decimal_places != 1)}"
    return f"{tied.mean():.0%} of the images share the largest confidence, {found}: rankings take them in any order"


def of_claim(name: str, split: str, sides: list, difference: float | None) -> str | None:
    """Warn if a claim by a metric has too few images of a kind on its split, or rests on less than one image.

    sides: the `comparisons.Estimates` of both arms, of all replicates. difference: their mean one in the metric.
    """
    members = mean_splits(sides[0].images).get(split, [split])
    counts = [found for side in sides for member in members if (found := _counts(name, member, side))]
    for kind in counts[0] if counts else ():
        if (fewest := min(found[kind] for found in counts)) < FEWEST_IMAGES:
            return f"{fewest} {kind} in {split}, fewer than {FEWEST_IMAGES}"
    if name != "accuracy" or not difference or not counts:
        return None
    n = min(found["images"] for found in counts) * len(members)
    return f"the difference is less than one of {n:,} images" if abs(difference) * n < 1 - 1e-9 else None


def _counts(name: str, split: str, side) -> dict[str, int]:
    """Return how many images of each kind that a metric sets apart an arm has; none where that is not known."""
    n = {each: len(images.labels) for each, images in side.images.items()}
    own = needed_splits(split)[-1]
    if own not in n or own not in side.n_correct:
        return {}
    if is_ood(split):
        inside, outside = mixed_sizes(split, n.get("test", 0), n[own])
        return {"out-of-distribution images": outside, "in-distribution images": inside}
    if metric(name).kind == "ranking":
        correct = side.n_correct[split]
        return {"incorrect images": n[split] - correct, "correct images": correct}
    return {"images": n[split]}


def _at_least(k: int, n: int) -> float:
    """Return the probability of k heads or more of n fair coins."""
    logarithms = np.append(0, np.cumsum(np.log(np.arange(1, n + 1))))  # of j!
    heads = np.arange(k, n + 1)
    return float(np.exp(logarithms[n] - logarithms[heads] - logarithms[n - heads] - n * np.log(2)).sum())
