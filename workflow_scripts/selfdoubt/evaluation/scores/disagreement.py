"""Log-odds of the predicted class less c h, h the disagreement of teachers that a student has learned, in nats.

The student's further output h is a column of the predictions. c is the one of lowest AURC on `val`, and 0, which leaves
`msp`, where none is better.
"""

import numpy as np

from selfdoubt.evaluation.log_odds import log_odds
from selfdoubt.evaluation.rankings import aurc, rank, round_to_tie
from selfdoubt.evaluation.softmax import check_val, each_block

COLUMN = "disagreement"
WITHOUT_COLUMN = "it is made of clean images, for students that learn how far teachers disagree"
WEIGHTS = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)  # of a nat of h, in log-odds


def fit(val, disagreement) -> dict:
    """Return the c of lowest AURC on `val`, the first of equals; disagreement: (n,). Raises Undefined as scores do."""
    check_val(val.logits, val.labels, val.predicted)
    odds = _log_odds(val)
    areas = [aurc(rank(_combined(odds, disagreement, c), val.correct)) for c in WEIGHTS]
    return {"c": WEIGHTS[int(np.argmin(areas))]}


def combine(sample, disagreement, c: float):
    """Return the confidences (n,) of predictions with their column (n,)."""
    return _combined(_log_odds(sample), disagreement, c)


def _combined(odds, disagreement, c: float):
    return round_to_tie(odds - c * disagreement)


def _log_odds(sample):
    return np.concatenate(each_block(sample.logits, lambda _, softmax: log_odds(softmax), sample.predicted))
