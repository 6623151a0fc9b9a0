"""Confidence scores: logits (n, C) in, confidence (n,) out; higher is surer. Definitions: docs/metrics.md.

`SCORES` maps a name to a fit function (val_logits, val_labels, val_correct) -> score, where score(logits) is
the confidence. Most scores have nothing to fit and ignore what they are given. A score takes an array or a
`Softmax`; handing the same `Softmax` to several scores makes the exponentials once. All numbers are float64.

Not here: `mc-dropout` and `ensemble`, which are made of several passes or models; their mean probabilities
arrive as logits, and are scored like any others.
"""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from selfdoubt.metrics import Undefined, aurc, rank

BLOCK_NUMBERS = 2**16  # logits worked on at a time: their float64 parts stay in the processor's cache
TEMPERATURE_BOUNDS = (1e-3, 1e3)
PNORMS = range(10)

Score = Callable[["np.ndarray | Softmax"], np.ndarray]


class Softmax:
    """The softmax of rows of logits, as the parts that scores are made of.

    label: (n,) the class of the largest logit, the lowest index on a tie. top: (n,) that logit.
    second: (n,) the second largest logit minus the largest, <= 0.
    below: (n, C) exp(z - top), but 0 at `label`; so rest = below.sum(-1) keeps its digits where
    probabilities round to 1, and the softmax is below / (1 + rest) with 1 / (1 + rest) at `label`.
    """

    def __init__(self, logits: np.ndarray):
        self.logits = np.ascontiguousarray(logits, dtype=np.float64)  # (n, C)
        self.rows = np.arange(len(self.logits))
        self.label = self.logits.argmax(-1)
        self.top = self.logits[self.rows, self.label]
        self.shifted = self.logits - self.top[:, None]  # (n, C), <= 0
        self.shifted[self.rows, self.label] = -np.inf
        self.second = self.shifted.max(-1)
        self.below = np.exp(self.shifted)
        self.rest = self.below.sum(-1)
        self.shifted[self.rows, self.label] = 0.0
        self._tempered: dict[float, Softmax] = {}

    def at(self, temperature: float) -> "Softmax":
        """Return the softmax of logits / temperature."""
        if temperature == 1:
            return self
        if temperature not in self._tempered:
            self._tempered[temperature] = Softmax(self.logits / temperature)
        return self._tempered[temperature]

    def max_probability(self) -> np.ndarray:
        """Return max_k p_k, (n,)."""
        return 1 / (1 + self.rest)

    def probabilities(self) -> np.ndarray:
        """Return p, (n, C)."""
        probabilities = self.below / (1 + self.rest)[:, None]
        probabilities[self.rows, self.label] = self.max_probability()
        return probabilities

    def log_probability(self, labels: np.ndarray) -> np.ndarray:
        """Return log p of each row's label, (n,), natural; never the log of a rounded zero."""
        return self.shifted[self.rows, labels] - np.log1p(self.rest)


def softmax_blocks(logits: np.ndarray) -> Iterator[tuple[slice, Softmax]]:
    """Yield (rows, softmax of these rows) until all rows were seen."""
    step = max(1, BLOCK_NUMBERS // logits.shape[1])
    for start in range(0, len(logits), step):
        rows = slice(start, min(start + step, len(logits)))
        yield rows, Softmax(logits[rows])


def first_fault(logits: np.ndarray, labels: np.ndarray | None = None) -> str | None:
    """Return a text that names the first row with a logit that is not finite or a label that is no class, or None."""
    if not (np.isfinite(logits.min()) and np.isfinite(logits.max())):
        return f"row {np.isfinite(logits).all(-1).argmin()} has a logit that is not finite"
    n_classes = logits.shape[1]
    strange = np.flatnonzero((labels < 0) | (labels >= n_classes)) if labels is not None else []
    if len(strange):
        return f"row {strange[0]} has label {labels[strange[0]]}, which is none of {n_classes} classes"
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
    return log_odds


def margin(logits) -> np.ndarray:
    """Return the largest minus the second largest probability."""
    softmax = _softmax(logits)
    return -np.expm1(softmax.second) * softmax.max_probability()


def logit_margin(logits) -> np.ndarray:
    """Return the largest minus the second largest logit."""
    return -_softmax(logits).second


def negative_entropy(logits) -> np.ndarray:
    """Return sum p log p, natural log, in [-log C, 0]."""
    softmax = _softmax(logits)
    products = np.einsum("nc,nc->n", softmax.below, softmax.shifted)  # 0 for the top class, whose shift is 0
    return products * softmax.max_probability() - np.log1p(softmax.rest)


def gini(logits) -> np.ndarray:
    """Return sum p^2, the D_alpha of DOCTOR (Granese et al. 2021) as a confidence."""
    softmax = _softmax(logits)
    squares = np.einsum("nc,nc->n", softmax.below, softmax.below)
    return (1 + squares) * softmax.max_probability() ** 2


def energy(logits) -> np.ndarray:
    """Return logsumexp of the logits, the negative energy at T = 1 (Liu et al. 2020)."""
    softmax = _softmax(logits)
    return softmax.top + np.log1p(softmax.rest)


def max_logit(logits) -> np.ndarray:
    """Return the largest logit (Hendrycks et al. 2022)."""
    return _softmax(logits).top


def pnorm(logits, p: int) -> np.ndarray:
    """Return the largest centred logit over the p-norm of the centred logits (Cattelan & Silva 2024).

    p = 0 counts the entries that are not zero. A row of equal logits has confidence 0.
    """
    logits = _softmax(logits).logits
    centred = logits - logits.mean(-1, keepdims=True)
    largest = centred.max(-1)
    size = np.abs(centred, out=centred)
    scale = size.max(-1)  # divided out, so that no power overflows
    scale[scale == 0] = 1.0
    if p == 0:
        return largest / np.maximum(np.count_nonzero(size, axis=-1), 1)
    size /= scale[:, None]
    norm = _powers(size, p).sum(-1) ** (1 / p)
    return largest / (scale * np.where(norm == 0, 1.0, norm))


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return the temperature that minimises the NLL of softmax(logits / T) (Guo et al. 2017).

    The NLL has one minimum over log T, which is searched between fixed bounds and so cannot diverge.
    """
    from scipy.optimize import minimize_scalar  # takes longer to import than the rest of this module

    _check_val(logits, labels)
    softmax = Softmax(logits)
    shifted, mean_of_label = softmax.shifted, softmax.shifted[softmax.rows, labels].mean()

    def nll(log_temperature: float) -> float:
        beta = np.exp(-log_temperature)
        return np.log(np.exp(shifted * beta).sum(-1)).mean() - mean_of_label * beta

    bounds = np.log(TEMPERATURE_BOUNDS)
    return float(np.exp(minimize_scalar(nll, bounds=bounds, method="bounded", options={"xatol": 1e-6}).x))


def fit_pnorm(logits: np.ndarray, labels: np.ndarray, correct: np.ndarray | None = None) -> Score:
    """Return `pnorm` with the p of lowest AURC; `msp` where no p beats it, and for two classes.

    correct: (n,) bool, where the reported label is not the argmax of the logits.
    """
    _check_val(logits, labels)
    softmax = Softmax(logits)
    correct = softmax.label == labels if correct is None else correct
    if logits.shape[1] == 2:
        return msp  # for every p >= 1 the ratio is the same for all rows
    candidates = [msp, *(partial(pnorm, p=p) for p in PNORMS)]
    return min(candidates, key=lambda score: aurc(rank(score(softmax), correct)))  # the first of equals


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
PROBABILITY_SCORES = ("msp", "msp-ts")  # the two that define probabilities, and so have a calibration
