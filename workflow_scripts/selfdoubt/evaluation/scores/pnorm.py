"""The largest centred logit over the p-norm of the centred logits (Cattelan & Silva 2024), p chosen on `val`."""

import numpy as np

from selfdoubt.evaluation.log_odds import log_odds
from selfdoubt.evaluation.rankings import aurc, rank, without_noise
from selfdoubt.evaluation.softmax import check_val, each_block

POWERS = range(10)
MSP = {"score": "msp"}  # what `fit` returns where no p has a lower AURC
_ZERO = 2.0**-40  # of the largest: an entry below it is the mean, but for rounding


def fit(logits, labels, correct) -> dict:
    """Return the p of lowest AURC on `val`; `msp` where no p has a lower one, and for two classes.

    logits: (n, C). correct: (n,) bool. Raises Undefined where nothing can be fitted.
    """
    check_val(logits, labels)
    if logits.shape[1] == 2:
        return MSP  # for every p >= 1 the ratio is the same for all rows
    choices = [MSP, *({"p": p} for p in POWERS)]
    blocks = each_block(logits, lambda rows, softmax: [score(softmax, **choice) for choice in choices])
    areas = [aurc(rank(confidence, correct)) for confidence in np.concatenate(blocks, axis=1)]
    return choices[int(np.argmin(areas))]  # the first of equals


def score(softmax, p: int | None = None, score: str = "msp"):
    """Return the ratio at a p that was chosen, (n,), or the log-odds of `msp` where none was."""
    return log_odds(softmax) if p is None else pnorm(softmax.shifted, p)


def pnorm(logits: np.ndarray, p: int) -> np.ndarray:
    """Return the largest centred logit over the p-norm of the centred logits, (n,).

    logits: float64 (n, C). p = 0 counts the entries that are not zero. A row of equal logits has confidence 0.
    """
    centred = logits - logits.mean(-1, keepdims=True)
    largest = centred.max(-1)
    size = np.abs(centred, out=centred)
    scale = size.max(-1)  # divided out, so that no power overflows
    scale[scale == 0] = 1.0
    if p == 0:
        return without_noise(largest / np.maximum((size > _ZERO * scale[:, None]).sum(-1), 1))
    size /= scale[:, None]
    norm = _powers(size, p).sum(-1) ** (1 / p)
    return without_noise(largest / (scale * np.where(norm == 0, 1.0, norm)))


def _powers(values: np.ndarray, p: int) -> np.ndarray:
    """Return values ** p by squaring, some ten times as fast as np.power."""
    if p == 1:
        return values
    half = _powers(values, p // 2)
    return half * half * values if p % 2 else half * half
