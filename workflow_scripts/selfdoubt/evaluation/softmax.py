"""The softmax of logits in float64 as the parts that scores are made of, and the temperature that fits it to labels.

Beside the scores: a student that is trained at a fitted temperature is not trained again when a score changes.
"""

from collections.abc import Callable

import numpy as np

from selfdoubt.evaluation.undefined import Undefined
from selfdoubt.runtime.threads import cached_property, ordered_map

BLOCK_NUMBERS = 2**19  # logits worked on at a time: few enough for the processor's cache, many enough for NumPy
TEMPERATURE_BOUNDS = (1e-3, 1e3)
NO_VAL = "no samples in val"
_FLAT = 1e-200  # a curvature below which Newton's step is unbounded
LARGEST_LOGIT = 1e300  # so that differences and sums of losses are finite; masks of -1e30 and such are allowed


class Softmax:
    """The softmax of rows of logits, as the parts that scores are made of.

    top_class: (n,) the class of the largest logit, the lowest index on a tie. top: (n,) that logit over the
    temperature. reported: (n,) the predicted class, which is `top_class` unless it is given: the one that scores of a
    class are of. The rows in which it is another one are `moved`, (m,) row numbers, and mostly none.
    As `below` is 0 at `top_class`, `rest` keeps its digits where probabilities round to 1; the softmax is
    below / (1 + rest) with 1 / (1 + rest) at `top_class`.
    """

    def __init__(self, logits: np.ndarray, temperature: float = 1.0, reported: np.ndarray | None = None):
        self._logits, self._temperature = logits, temperature
        self._tempered: dict[float, Softmax] = {}
        self.rows, self.top_class = np.arange(len(logits)), logits.argmax(-1)
        self.reported = self.top_class if reported is None else reported
        self.top = logits[self.rows, self.top_class].astype(np.float64) / temperature

    def at(self, temperature: float) -> "Softmax":
        """Return the softmax of logits / temperature."""
        if temperature == self._temperature:
            return self
        if temperature not in self._tempered:
            self._tempered[temperature] = Softmax(self._logits, temperature, self.reported)
        return self._tempered[temperature]

    @cached_property
    def shifted(self) -> np.ndarray:
        """z - top, <= 0, (n, C)."""
        shifted = self._logits.astype(np.float64)
        shifted -= shifted[self.rows, self.top_class][:, None]
        if self._temperature != 1:
            shifted /= self._temperature
        return shifted

    @cached_property
    def below(self) -> np.ndarray:
        """exp(z - top), but 0 at `top_class`, (n, C)."""
        below = np.exp(self.shifted)
        below[self.rows, self.top_class] = 0.0
        return below

    @cached_property
    def rest(self) -> np.ndarray:
        """The sum of `below`, (n,)."""
        return self.below.sum(-1)

    @cached_property
    def second(self) -> np.ndarray:
        """The second largest logit minus the largest, (n,), <= 0."""
        self.shifted[self.rows, self.top_class] = -np.inf
        second = self.shifted.max(-1)
        self.shifted[self.rows, self.top_class] = 0.0
        return second

    @cached_property
    def moved(self) -> np.ndarray:
        """The rows in which the reported class is not the top one, (m,)."""
        return np.flatnonzero(self.reported != self.top_class)

    @cached_property
    def shift(self) -> np.ndarray:
        """The reported logit minus the largest one of the rows `moved`, (m,), <= 0."""
        return self.shifted[self.moved, self.reported[self.moved]]

    @cached_property
    def squares(self) -> np.ndarray:
        """The sum of below^2, (n,)."""
        return np.einsum("nc,nc->n", self.below, self.below)

    def max_probability(self) -> np.ndarray:
        """Return max_k p_k, (n,)."""
        return 1 / (1 + self.rest)

    def reported_probability(self) -> np.ndarray:
        """Return p of the reported class, (n,)."""
        p = self.max_probability()
        if len(self.moved):
            p[self.moved] *= np.exp(self.shift)
        return p

    def probabilities(self) -> np.ndarray:
        """Return p, (n, C)."""
        probabilities = self.below / (1 + self.rest)[:, None]
        probabilities[self.rows, self.top_class] = self.max_probability()
        return probabilities

    def summed_probabilities(self) -> np.ndarray:
        """Return the sum of p over the rows, (C,)."""
        p_top = self.max_probability()
        n_classes = self.shifted.shape[1]
        return np.einsum("n,nc->c", p_top, self.below) + np.bincount(self.top_class, weights=p_top, minlength=n_classes)

    def probabilities_above(self, least: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return row, column and p of every p > least, and of some that are not."""
        limit = least * (1 - 1e-9) * (1 + self.rest)  # so that rounding excludes none
        row, column = np.divmod(np.flatnonzero(self.below > limit[:, None]), self.shifted.shape[1])
        row, column = np.append(row, self.rows), np.append(column, self.top_class)
        p = np.where(column == self.top_class[row], 1.0, self.below[row, column]) / (1 + self.rest[row])
        return row, column, p

    def log_probability(self, labels: np.ndarray) -> np.ndarray:
        """Return log p of each row's label, (n,), natural; never the log of a rounded zero."""
        return self.shifted[self.rows, labels] - np.log1p(self.rest)

    def squared_error(self, labels: np.ndarray) -> np.ndarray:
        """Return sum_k (p_k - 1[y = k])^2 of each row, (n,)."""
        # In units of 1 / (1 + rest)^2, and without a difference of nearly equal numbers: where the label is the top
        # class its own error is rest, else the top class's is 1 and the label's is 1 + rest - below.
        of_label = self.below[self.rows, labels]
        missed = 1 + (self.squares - of_label**2) + (1 + self.rest - of_label) ** 2
        return np.where(self.top_class == labels, self.squares + self.rest**2, missed) / (1 + self.rest) ** 2


def each_block(
    logits: np.ndarray, function: Callable[[slice, Softmax], object], reported: np.ndarray | None = None
) -> list:
    """Return function(rows, softmax of these rows) of each block of rows, in order; blocks are shared by threads.

    reported: (n,) the predicted classes, where they are not those of the largest logits.
    """
    step = max(1, BLOCK_NUMBERS // logits.shape[1])
    blocks = [slice(start, min(start + step, len(logits))) for start in range(0, len(logits), step)]

    def of_block(rows: slice) -> object:
        return function(rows, Softmax(logits[rows], reported=None if reported is None else reported[rows]))

    return ordered_map(of_block, blocks)


def first_fault(
    logits: np.ndarray, labels: np.ndarray | None = None, first: int = 0, reported: np.ndarray | None = None
) -> str | None:
    """Return a text that names the first row with a logit that is infinite, NaN or too large, or with a label or a
    reported class that is no class.

    None where there is no such row. first: the number of the first row.
    """
    lowest, highest = logits.min(), logits.max()
    if not (np.isfinite(lowest) and np.isfinite(highest)):
        return f"row {first + np.isfinite(logits).all(-1).argmin()} has a logit that is not finite"
    if max(-float(lowest), float(highest)) > LARGEST_LOGIT:
        row, column = np.unravel_index(np.abs(logits).argmax(), logits.shape)
        return f"row {first + row} has a logit of {logits[row, column]:.3g}, too large to compute with"
    n_classes = logits.shape[1]
    for what, classes in (("label", labels), ("predicted class", reported)):
        strange = np.flatnonzero((classes < 0) | (classes >= n_classes)) if classes is not None else []
        if len(strange):
            row = strange[0]
            return f"row {first + row} has {what} {classes[row]}, which is none of {n_classes} classes"
    return None


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return the temperature that minimises the NLL of softmax(logits / T) (Guo et al. 2017).

    The NLL is convex in 1 / T. Newton's steps look for the zero of its slope; one that leaves the bracket, or is not
    under half as long as the one before, is replaced by one to the bracket's geometric middle: none diverges. Where the
    NLL is flat at T = 1, as of equal logits, T is 1. logits: (n, C). labels: (n,). Raises Undefined as `check_val`.
    """
    check_val(logits, labels)
    low, high = 1 / TEMPERATURE_BOUNDS[1], 1 / TEMPERATURE_BOUNDS[0]  # of beta = 1 / T
    beta, step = 1.0, np.inf
    while abs(step) > 1e-9 * beta:
        slope, curvature = _nll_slope(logits, labels, beta)
        if beta == 1 and slope == curvature == 0:
            break
        low, high = (beta, high) if slope < 0 else (low, beta)
        newton = float(-slope) / float(curvature) if curvature > _FLAT else np.inf
        good = low <= beta + newton <= high and abs(newton) < abs(step) / 2
        step = newton if good else np.sqrt(low * high) - beta
        beta += step
    return float(1 / beta)


def _nll_slope(logits: np.ndarray, labels: np.ndarray, beta: float) -> tuple[float, float]:
    """Return the first and second derivative by beta of the mean NLL of softmax(beta * logits)."""

    def sums(rows: slice, softmax: Softmax) -> tuple[float, float]:
        shifted = np.maximum(softmax.shifted, -1e100)  # its square stays finite, its exponential is 0 all the same
        p = np.exp(beta * shifted)
        p /= p.sum(-1, keepdims=True)
        mean = np.einsum("nc,nc->n", p, shifted)
        variance = np.einsum("nc,nc,nc->n", p, shifted, shifted) - mean**2
        return (mean - shifted[softmax.rows, labels[rows]]).sum(), variance.sum()

    slope, curvature = np.sum(each_block(logits, sums), axis=0) / len(logits)
    return slope, curvature


def check_val(logits: np.ndarray, labels: np.ndarray, reported: np.ndarray | None = None) -> None:
    """Raise Undefined if nothing can be fitted on these logits, labels and reported classes of val."""
    if len(logits) == 0:
        raise Undefined(NO_VAL)
    if logits.shape[1] < 2:
        raise Undefined("val: fewer than two classes")
    if fault := first_fault(logits, labels, reported=reported):
        raise Undefined(f"val: {fault}")
