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

from selfdoubt.evaluation.rankings import aurc, rank, without_noise
from selfdoubt.evaluation.softmax import Softmax, check_val, each_block, fit_temperature

PNORMS = range(10)

Score = Callable[["np.ndarray | Softmax"], np.ndarray]


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
    return without_noise(-_softmax(logits).second)


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


_ZERO = 2.0**-40  # of the largest: an entry below it is the mean, but for rounding


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
        return without_noise(largest / np.maximum((size > _ZERO * scale[:, None]).sum(-1), 1))
    size /= scale[:, None]
    norm = _powers(size, p).sum(-1) ** (1 / p)
    return without_noise(largest / (scale * np.where(norm == 0, 1.0, norm)))


def fit_pnorm(logits: np.ndarray, labels: np.ndarray, correct: np.ndarray | None = None) -> Score:
    """Return `pnorm` with the p of lowest AURC; `msp` where no p beats it, and for two classes.

    correct: (n,) bool, where the reported label is not the argmax of the logits.
    """
    check_val(logits, labels)
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
