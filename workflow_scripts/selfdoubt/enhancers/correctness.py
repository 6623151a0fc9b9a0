"""A logistic model of whether a prediction is correct, and its probability written into the logits."""

import numpy as np
from scipy.special import expit, log_softmax

from selfdoubt.evaluation.correctness_model import moments
from selfdoubt.runtime.errors import UserError

_BEND = 0.02  # above 1 / K: probabilities below 1 / K + 0.02 are compressed
_LARGEST = np.log(np.finfo(np.float64).max)  # log-odds whose odds are finite


class Logistic:
    """Logistic regression on standardised features: mean log loss + l2_penalty / 2 * |weights|^2, intercept free."""

    def __init__(self, features: np.ndarray, correct: np.ndarray, l2_penalty: float):
        """features: (n, d). correct: (n,) bool. Raises UserError if all or none is correct."""
        from sklearn.linear_model import LogisticRegression

        check_both(correct)
        self._mean, self._deviation = moments(features)
        strength = 1 / (len(correct) * l2_penalty)  # scikit-learn's C is of the summed loss
        model = LogisticRegression(C=strength, solver="newton-cholesky", tol=1e-8, max_iter=200)
        model.fit(self._standard(features), correct)
        self._weights, self._intercept = model.coef_[0], model.intercept_[0]

    def log_odds(self, features: np.ndarray) -> np.ndarray:
        """Return the log-odds that predictions are correct, (n,), from features (n, d)."""
        return self._standard(features) @ self._weights + self._intercept

    def _standard(self, features: np.ndarray) -> np.ndarray:
        return (features - self._mean) / self._deviation


def check_both(correct: np.ndarray) -> None:
    """Raise UserError if all or none of the predictions (n,) that something is to be fitted on is correct."""
    if correct.all() or not correct.any():
        every = "correct" if correct.all() else "incorrect"
        where = "on val, or on all but one fold of it, every prediction"
        raise UserError(
            f"enhancers: {where} is {every}, so nothing can be fitted to separate them; remove the enhancer"
        )


def with_confidence(logits: np.ndarray, log_odds: np.ndarray) -> np.ndarray:
    """Return log probabilities in which the predicted class has the given log-odds: float32 (n, K).

    logits: (n, K), clean. log_odds: (n,), that predictions are correct. The rest of the probability is distributed over
    the other classes in the proportions of the clean softmax, or nearer to equal ones where a class would otherwise
    exceed the predicted one. The largest of K probabilities is above 1 / K, so with d = 0.02 probabilities p below
    b = 1 / K + d become 1 / K + d^2 / (d + b - p), which keeps their order.
    """
    log_odds = np.clip(log_odds, -_LARGEST, _LARGEST)
    n_classes, rows, predicted = logits.shape[1], np.arange(len(logits)), logits.argmax(1)
    bend, p = 1 / n_classes + _BEND, expit(log_odds)
    compressed = 1 / n_classes + _BEND**2 / (_BEND + np.maximum(bend - p, 0))
    odds = np.where(p < bend, compressed / (1 - compressed), np.exp(log_odds))
    others = logits.astype(np.float64)
    others[rows, predicted] = -np.inf
    rest = np.exp(log_softmax(others, axis=1))  # (n, K), 0 for the predicted class
    equal, largest = 1 / (n_classes - 1), rest.max(1)
    room = odds * (1 - 1e-6)  # so that float32 makes no tie of it
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        kept = np.where(largest > room, (room - equal) / (largest - equal), 1.0)[:, None]
    rest = kept * rest + (1 - kept) * equal
    rest[rows, predicted] = odds
    log_odds_of_all = np.log(np.maximum(rest, np.finfo(np.float32).tiny))
    return (log_odds_of_all - np.log1p(odds)[:, None]).astype(np.float32)


def fit_on_parts(features, logits, labels, l2_penalty: float, parts: list[np.ndarray]) -> list[Logistic]:
    """Return a model fitted on each of the parts, which are row numbers.

    features: (n, d). logits: (n, K), whose largest is the prediction. labels: (n,), the true ones.
    """
    correct = logits.argmax(1) == labels
    return [Logistic(features[rows], correct[rows], l2_penalty) for rows in parts]
