"""Confidence scores: logits (n, C) in, confidence (n,) out; higher is surer. Definitions: docs/metrics.md.

`SCORES` maps a name to a fit function (val_logits, val_labels, val_correct) -> score, where score(logits) is
the confidence. Most scores have nothing to fit and ignore what they are given. A score takes an array or a
`Softmax`; handing the same `Softmax` to several scores makes the exponentials once. All numbers are float64. Scores
that end at 1 are ranked by a logarithm that does not (`AS_DEFINED` undoes it), and what was computed is rounded: so
confidences are tied where they are equal, and nowhere else.

Not here: `mc-dropout`, which is made of several passes through the model and arrives as a column of the predictions
(`SIGNALS`), and `ensemble`, which is `msp` of a group's mean probability, whose logarithm arrives as logits.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from selfdoubt.rankings import aurc, rank, without_noise
from selfdoubt.threads import cached_property, ordered_map
from selfdoubt.undefined import Undefined

BLOCK_NUMBERS = 2**19  # logits worked on at a time: few enough for the processor's cache, many enough for NumPy
TEMPERATURE_BOUNDS = (1e-3, 1e3)
PNORMS = range(10)

Score = Callable[["np.ndarray | Softmax"], np.ndarray]


class Softmax:
    """The softmax of rows of logits, as the parts that scores are made of.

    label: (n,) the class of the largest logit, the lowest index on a tie. top: (n,) that logit over the temperature.
    As `below` is 0 at `label`, `rest` keeps its digits where probabilities round to 1; the softmax is
    below / (1 + rest) with 1 / (1 + rest) at `label`.
    """

    def __init__(self, logits: np.ndarray, temperature: float = 1.0):
        self._logits, self._temperature = logits, temperature
        self._tempered: dict[float, Softmax] = {}
        self.rows, self.label = np.arange(len(logits)), logits.argmax(-1)
        self.top = logits[self.rows, self.label].astype(np.float64) / temperature

    def at(self, temperature: float) -> "Softmax":
        """Return the softmax of logits / temperature."""
        if temperature == self._temperature:
            return self
        if temperature not in self._tempered:
            self._tempered[temperature] = Softmax(self._logits, temperature)
        return self._tempered[temperature]

    @cached_property
    def shifted(self) -> np.ndarray:
        """z - top, <= 0, (n, C)."""
        shifted = self._logits.astype(np.float64)
        shifted -= shifted[self.rows, self.label][:, None]
        if self._temperature != 1:
            shifted /= self._temperature
        return shifted

    @cached_property
    def below(self) -> np.ndarray:
        """exp(z - top), but 0 at `label`, (n, C)."""
        below = np.exp(self.shifted)
        below[self.rows, self.label] = 0.0
        return below

    @cached_property
    def rest(self) -> np.ndarray:
        """The sum of `below`, (n,)."""
        return self.below.sum(-1)

    @cached_property
    def second(self) -> np.ndarray:
        """The second largest logit minus the largest, (n,), <= 0."""
        self.shifted[self.rows, self.label] = -np.inf
        second = self.shifted.max(-1)
        self.shifted[self.rows, self.label] = 0.0
        return second

    @cached_property
    def squares(self) -> np.ndarray:
        """The sum of below^2, (n,)."""
        return np.einsum("nc,nc->n", self.below, self.below)

    def max_probability(self) -> np.ndarray:
        """Return max_k p_k, (n,)."""
        return 1 / (1 + self.rest)

    def probabilities(self) -> np.ndarray:
        """Return p, (n, C)."""
        probabilities = self.below / (1 + self.rest)[:, None]
        probabilities[self.rows, self.label] = self.max_probability()
        return probabilities

    def summed_probabilities(self) -> np.ndarray:
        """Return the sum of p over the rows, (C,)."""
        p_top = self.max_probability()
        n_classes = self.shifted.shape[1]
        return np.einsum("n,nc->c", p_top, self.below) + np.bincount(self.label, weights=p_top, minlength=n_classes)

    def probabilities_above(self, least: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return row, column and p of every p > least, and of some that are not."""
        bound = least * (1 - 1e-9) * (1 + self.rest)  # rounding leaves none out
        row, column = np.divmod(np.flatnonzero(self.below > bound[:, None]), self.shifted.shape[1])
        row, column = np.append(row, self.rows), np.append(column, self.label)
        p = np.where(column == self.label[row], 1.0, self.below[row, column]) / (1 + self.rest[row])
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
        return np.where(self.label == labels, self.squares + self.rest**2, missed) / (1 + self.rest) ** 2


def each_block(logits: np.ndarray, function: Callable[[slice, Softmax], object]) -> list:
    """Return function(rows, softmax of these rows) of each block of rows, in order; blocks are shared by threads."""
    step = max(1, BLOCK_NUMBERS // logits.shape[1])
    blocks = [slice(start, min(start + step, len(logits))) for start in range(0, len(logits), step)]
    return ordered_map(lambda rows: function(rows, Softmax(logits[rows])), blocks)


def first_fault(logits: np.ndarray, labels: np.ndarray | None = None, first: int = 0) -> str | None:
    """Return a text that names the first row with a logit that is not finite or a label that is no class, or None.

    first: the number of the first row.
    """
    if not (np.isfinite(logits.min()) and np.isfinite(logits.max())):
        return f"row {first + np.isfinite(logits).all(-1).argmin()} has a logit that is not finite"
    n_classes = logits.shape[1]
    strange = np.flatnonzero((labels < 0) | (labels >= n_classes)) if labels is not None else []
    if len(strange):
        return f"row {first + strange[0]} has label {labels[strange[0]]}, which is none of {n_classes} classes"
    return None


def msp(logits, temperature: float = 1.0) -> np.ndarray:
    """Maximum softmax probability as its log-odds, z_max - logsumexp(the other logits), of logits / temperature.

    The same order as the probability itself (Hendrycks & Gimpel 2017), without the ties of its rounding to 1.
    """
    softmax = _softmax(logits).at(temperature)
    with np.errstate(divide="ignore"):
        log_odds = -np.log(softmax.rest)
    tiny = np.flatnonzero(softmax.rest < 1e-290)  # the others underflow: sum them relative to the second
    if len(tiny):
        second = softmax.second[tiny, None]
        shifted = softmax.shifted[tiny]
        shifted[np.arange(len(tiny)), softmax.label[tiny]] = -np.inf
        log_odds[tiny] = -second[:, 0] - np.log(np.exp(shifted - second).sum(-1))
    return without_noise(log_odds)


def margin(logits) -> np.ndarray:
    """Return the largest minus the second largest probability, m, as -log(1 - m)."""
    softmax = _softmax(logits)
    with np.errstate(divide="ignore"):
        return without_noise(np.log1p(softmax.rest) - np.log(softmax.rest + np.exp(softmax.second)))


def logit_margin(logits) -> np.ndarray:
    """Return the largest minus the second largest logit."""
    return -_softmax(logits).second


def negative_entropy(logits) -> np.ndarray:
    """Return sum p log p, natural log, in [-log C, 0]."""
    softmax = _softmax(logits)
    products = np.einsum("nc,nc->n", softmax.below, softmax.shifted)  # 0 for the top class, whose shift is 0
    return without_noise(products * softmax.max_probability() - np.log1p(softmax.rest), least=0.0)


def gini(logits) -> np.ndarray:
    """Return sum p^2, g, the D_alpha of DOCTOR (Granese et al. 2021) as a confidence, as -log(1 - g)."""
    softmax = _softmax(logits)
    missing = 2 * softmax.rest + np.maximum(softmax.rest**2 - softmax.squares, 0)  # in units of 1 / (1 + rest)^2
    with np.errstate(divide="ignore"):
        return without_noise(2 * np.log1p(softmax.rest) - np.log(missing))


def energy(logits) -> np.ndarray:
    """Return logsumexp of the logits, the negative energy at T = 1 (Liu et al. 2020)."""
    softmax = _softmax(logits)
    return without_noise(softmax.top + np.log1p(softmax.rest))


def max_logit(logits) -> np.ndarray:
    """Return the largest logit (Hendrycks et al. 2022)."""
    return _softmax(logits).top


def pnorm(logits, p: int) -> np.ndarray:
    """Return the largest centred logit over the p-norm of the centred logits (Cattelan & Silva 2024).

    p = 0 counts the entries that are not zero. A row of equal logits has confidence 0.
    """
    shifted = _softmax(logits).shifted
    centred = shifted - shifted.mean(-1, keepdims=True)
    largest = centred.max(-1)
    size = np.abs(centred, out=centred)
    scale = size.max(-1)  # divided out, so that no power overflows
    scale[scale == 0] = 1.0
    if p == 0:
        return largest / np.maximum(np.count_nonzero(size, axis=-1), 1)
    size /= scale[:, None]
    norm = _powers(size, p).sum(-1) ** (1 / p)
    return without_noise(largest / (scale * np.where(norm == 0, 1.0, norm)))


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return the temperature that minimises the NLL of softmax(logits / T) (Guo et al. 2017).

    The NLL is convex in 1 / T. Newton's steps look for the zero of its slope; one that leaves the bracket, or is not
    half as long as that before, is replaced by one to the bracket's middle, so that they cannot diverge. Where the NLL
    is flat at T = 1, as of equal logits, no temperature is better than 1.
    """
    _check_val(logits, labels)
    low, high = 1 / TEMPERATURE_BOUNDS[1], 1 / TEMPERATURE_BOUNDS[0]  # of beta = 1 / T
    beta, step = 1.0, np.inf
    while abs(step) > 1e-9 * beta:
        slope, curvature = _nll_slope(logits, labels, beta)
        if beta == 1 and slope == curvature == 0:
            break
        low, high = (beta, high) if slope < 0 else (low, beta)
        newton = -slope / curvature if curvature > 0 else np.inf
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


def fit_pnorm(logits: np.ndarray, labels: np.ndarray, correct: np.ndarray | None = None) -> Score:
    """Return `pnorm` with the p of lowest AURC; `msp` where no p beats it, and for two classes.

    correct: (n,) bool, where the reported label is not the argmax of the logits.
    """
    _check_val(logits, labels)
    if logits.shape[1] == 2:
        return msp  # for every p >= 1 the ratio is the same for all rows
    correct = logits.argmax(-1) == labels if correct is None else correct
    candidates = [msp, *(partial(pnorm, p=p) for p in PNORMS)]
    blocks = each_block(logits, lambda rows, softmax: [score(softmax) for score in candidates])
    areas = [aurc(rank(confidence, correct)) for confidence in np.concatenate(blocks, axis=1)]
    return candidates[int(np.argmin(areas))]  # the first of equals


def fit_msp_ts(logits: np.ndarray, labels: np.ndarray, correct: np.ndarray | None = None) -> Score:
    """Return `msp` at the temperature of lowest NLL; `correct` is not needed."""
    return partial(msp, temperature=fit_temperature(logits, labels))


def temperature_of(score: Score) -> float:
    """Return the temperature at which a fitted `msp` or `msp-ts` takes its probabilities."""
    return getattr(score, "keywords", {}).get("temperature", 1.0)


def _softmax(logits) -> Softmax:
    return logits if isinstance(logits, Softmax) else Softmax(logits)


def _powers(values: np.ndarray, p: int) -> np.ndarray:
    """Return values ** p by squaring, some ten times as fast as np.power."""
    if p == 1:
        return values
    half = _powers(values, p // 2)
    return half * half * values if p % 2 else half * half


def _check_val(logits: np.ndarray, labels: np.ndarray) -> None:
    if len(logits) == 0:
        raise Undefined("no samples in val")
    if logits.shape[1] < 2:
        raise Undefined("val: fewer than two classes")
    if fault := first_fault(logits, labels):
        raise Undefined(f"val: {fault}")


def _as_is(score: Score) -> Callable[..., Score]:
    """Return the fit function of a score that has nothing to fit."""
    return lambda logits=None, labels=None, correct=None: score


SCORES: dict[str, Callable[..., Score]] = {
    "msp": _as_is(msp),
    "msp-ts": fit_msp_ts,
    "margin": _as_is(margin),
    "logit-margin": _as_is(logit_margin),
    "entropy": _as_is(negative_entropy),
    "gini": _as_is(gini),
    "energy": _as_is(energy),
    "max-logit": _as_is(max_logit),
    "pnorm": fit_pnorm,
}
SIGNALS = {"mc-dropout": "mc_dropout"}  # scores that predictions bring along, and the columns they are read from
FITTED = ("msp-ts", "pnorm")  # the two that choose something on val
PROBABILITY_SCORES = ("msp", "msp-ts")  # the two that define probabilities, and so have a calibration
AS_DEFINED: dict[str, Callable[[np.ndarray], np.ndarray]] = {  # the score itself, of what it is ranked by
    "msp": lambda log_odds: 1 / (1 + np.exp(-log_odds)),
    "msp-ts": lambda log_odds: 1 / (1 + np.exp(-log_odds)),
    "margin": lambda ranked: -np.expm1(-ranked),
    "gini": lambda ranked: -np.expm1(-ranked),
}
