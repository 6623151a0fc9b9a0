"""Conformal sets of classes that contain the label with a probability of 1 - alpha or more, calibrated on `val`.

Every method gives each class of an image a score, and the set has the classes whose score is at most the quantile of
the labels' scores on val (split conformal, Papadopoulos et al. 2002): the ⌈(n + 1)(1 - alpha)⌉-th smallest.

lac: 1 - p (Sadinle, Lei & Wasserman 2019). aps: the sum of p over more probable classes plus u p (Romano, Sesia &
Candès 2020). raps: that plus penalty times the classes beyond the free ones up to this one (Angelopoulos et al. 2021).
u is uniform, drawn for each image once and for all models: so coverage is exact, and sets may be empty.
"""

from fractions import Fraction
from math import ceil

import numpy as np

from selfdoubt.evaluation.predictions import Predictions
from selfdoubt.evaluation.scoring import Score
from selfdoubt.evaluation.softmax import NO_VAL, Softmax, each_block, first_fault
from selfdoubt.evaluation.undefined import Undefined
from selfdoubt.runtime.randomness import generator

METHODS = ("lac", "aps", "raps")
STRATA = ((0, 1), (2, 3), (4, 10), (11, 100), (101, 1000), (1001, None))  # sizes, as in Angelopoulos et al.
_EMPTY = {"val": NO_VAL, "test": "no samples in test"}


def quantile(scores: np.ndarray, alpha: float) -> float:
    """Return the ⌈(n + 1)(1 - alpha)⌉-th smallest of n scores; infinity where n is smaller than that."""
    k = ceil((len(scores) + 1) * (1 - Fraction(str(alpha))))
    return float(np.partition(scores, k - 1)[k - 1]) if k <= len(scores) else np.inf


def scores_by_rank(p: np.ndarray, u: np.ndarray, penalty: float, n_free: int) -> tuple[np.ndarray, dict]:
    """Return the classes by falling probability, (n, C), and the scores of each method, (n, C), in that order.

    p: (n, C). u: (n,) in [0, 1). Equal probabilities are ordered by class. The scores of lac are -p: the same sets as
    of 1 - p, without the rounding.
    """
    order = np.argsort(-p, axis=1, kind="stable")
    falling = np.take_along_axis(p, order, axis=1)
    aps = np.cumsum(falling, axis=1) - (1 - u[:, None]) * falling
    beyond = np.maximum(np.arange(1, p.shape[1] + 1) - n_free, 0)
    return order, {"lac": -falling, "aps": aps, "raps": aps + penalty * beyond}


def _of_blocks(sample: Predictions, split: str, score: Score, settings, function) -> list:
    """Return function(rows, place of the label, scores) of each block of rows; raises Undefined at faulty logits."""
    if len(sample.labels) == 0:
        raise Undefined(_EMPTY[split])
    draws = generator(0, f"conformal/{split}").random(len(sample.labels))

    def of_block(rows: slice, softmax: Softmax):
        if fault := first_fault(sample.logits[rows], sample.labels[rows], rows.start):
            raise Undefined(f"{split}: {fault}")
        p = score.probabilities(softmax).probabilities()
        order, scores = scores_by_rank(p, draws[rows], settings.raps_penalty, settings.raps_free_classes)
        return function((order == sample.labels[rows, None]).argmax(1), scores)

    return each_block(sample.logits, of_block)


def quantiles(val: Predictions, score: Score, settings) -> dict[tuple[str, float], float]:
    """Return the quantile of each method and alpha."""

    def of_labels(place: np.ndarray, scores: dict) -> dict:
        return {method: values[np.arange(len(place)), place] for method, values in scores.items()}

    parts = _of_blocks(val, "val", score, settings, of_labels)
    whole = {method: np.concatenate([part[method] for part in parts]) for method in METHODS}
    return {(method, alpha): quantile(whole[method], alpha) for method in METHODS for alpha in settings.alphas}


def sets(test: Predictions, score: Score, settings, found: dict[tuple[str, float], float]) -> dict:
    """Return, for each method and alpha, the sizes of the sets, (n,), and whether they contain the label, bool (n,)."""

    def of_block(place: np.ndarray, scores: dict) -> dict:
        rows = np.arange(len(place))
        return {
            key: ((scores[key[0]] <= limit).sum(1), scores[key[0]][rows, place] <= limit)
            for key, limit in found.items()
        }

    parts = _of_blocks(test, "test", score, settings, of_block)
    return {key: tuple(np.concatenate([part[key][i] for part in parts]) for i in (0, 1)) for key in found}


def by_size(sizes: np.ndarray, covered: np.ndarray, n_classes: int) -> dict[str, tuple[float | None, int]]:
    """Return coverage and number of images of each stratum of sizes that sets of so many classes can have."""
    found = {}
    for low, high in STRATA:
        if low > n_classes:
            break
        within = (sizes >= low) & (sizes <= (n_classes if high is None else high))
        name = f"coverage-size-{low}-" + ("up" if high is None else str(high))
        n = int(np.count_nonzero(within))
        found[name] = (float(covered[within].mean()) if n else None), n
    return found
