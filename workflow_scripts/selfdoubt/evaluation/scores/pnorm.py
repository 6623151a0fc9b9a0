"""MaxLogit-pNorm: the centred logit over the p-norm of the centred logits (Cattelan & Silva 2024), p chosen on `val`.

As in the authors' code logits are centred for every p, and p = 0 leaves them without a norm. They fall back to msp
where a p is worse; here where none is better, so that equal areas fall back too.
"""

import numpy as np

from selfdoubt.evaluation.log_odds import log_odds
from selfdoubt.evaluation.rankings import aurc, rank, round_to_tie
from selfdoubt.evaluation.softmax import check_val, each_block

POWERS = range(10)
MSP = {"score": "msp"}  # what `fit` returns where no p has a lower AURC


def fit(val) -> dict:
    """Return the p of lowest AURC on `val`; `msp` where no p has a lower one, and for two classes.

    val: Predictions. Raises Undefined where nothing can be fitted.
    """
    check_val(val.logits, val.labels, val.predicted)
    if val.logits.shape[1] == 2:
        return MSP  # for p >= 1 the ratio is the same for all rows, and p = 0 orders them as msp does
    choices = [MSP, *({"p": p} for p in POWERS)]

    def of_block(rows: slice, softmax) -> list[np.ndarray]:
        return [score(softmax, **choice) for choice in choices]

    blocks = each_block(val.logits, of_block, val.predicted)
    areas = [aurc(rank(confidence, val.correct)) for confidence in np.concatenate(blocks, axis=1)]
    return choices[int(np.argmin(areas))]  # the first of equals


def score(softmax, p: int | None = None, score: str = "msp"):
    """Return the ratio at a p that was chosen, (n,), or the log-odds of `msp` where none was."""
    return log_odds(softmax) if p is None else pnorm(softmax.shifted, p, softmax.reported)


def pnorm(logits: np.ndarray, p: int, reported: np.ndarray | None = None) -> np.ndarray:
    """Return the centred logit of the reported class over the p-norm of the centred logits, (n,).

    logits: float64 (n, C). reported: (n,), the largest logit's class if None. p = 0 divides by 1. A row of equal logits
    has confidence 0.
    """
    centred = logits - logits.mean(-1, keepdims=True)
    of_class = centred.max(-1) if reported is None else centred[np.arange(len(centred)), reported]
    if p == 0:
        return round_to_tie(of_class)
    size = np.abs(centred, out=centred)
    scale = size.max(-1)  # divided out, so that no power overflows
    scale[scale == 0] = 1.0
    size /= scale[:, None]
    norm = _powers(size, p).sum(-1) ** (1 / p)
    return round_to_tie(of_class / (scale * np.where(norm == 0, 1.0, norm)))


def _powers(values: np.ndarray, p: int) -> np.ndarray:
    """Return values ** p by squaring, some ten times as fast as np.power."""
    if p == 1:
        return values
    half = _powers(values, p // 2)
    return half * half * values if p % 2 else half * half
