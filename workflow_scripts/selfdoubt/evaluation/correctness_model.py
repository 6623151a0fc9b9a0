"""Whether a prediction is correct, as a logistic model of its logits."""

import numpy as np
from scipy.special import expit, log_softmax

from selfdoubt.evaluation.log_odds import log_odds
from selfdoubt.evaluation.undefined import Undefined

MOST_CLASSES = 100  # with more, the 2 K + 1 features mostly outnumber the images of val, and nothing is learned
_PENALTY = 0.01  # l2, of standardised features, beside the mean log loss
_STEPS, _TOLERANCE = 50, 1e-10


def features_of_logits(logits: np.ndarray) -> np.ndarray:
    """Return log p of each class, the predicted class one-hot, and its log-odds: float64 (n, 2 K + 1)."""
    predicted = np.eye(logits.shape[1])[logits.argmax(1)]
    return np.hstack([log_softmax(logits.astype(np.float64), axis=1), predicted, log_odds(logits)[:, None]])


def fitted_order(val: np.ndarray, correct: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """Return the log-odds (n,) that predictions with these logits (n, K) are correct, by a model fitted on val.

    val: (m, K) logits. correct: (m,) bool. Raises Undefined where nothing can be fitted.
    """
    if len(val) == 0:
        raise Undefined("there is no val to fit a model of correctness on")
    if val.shape[1] > MOST_CLASSES:
        raise Undefined(f"of more than {MOST_CLASSES} classes no model of correctness is fitted")
    if correct.all() or not correct.any():
        raise Undefined(f"on val every prediction is {'correct' if correct.all() else 'incorrect'}")
    features = features_of_logits(val)
    mean, deviation = moments(features)
    weights = fit_logistic((features - mean) / deviation, correct)
    return with_intercept((features_of_logits(logits) - mean) / deviation) @ weights


def moments(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean and the deviation of each of the features (n, d), 1 for those that never vary: (d,) each."""
    deviation = features.std(0)
    return features.mean(0), np.where(deviation > 0, deviation, 1.0)


def with_intercept(features: np.ndarray) -> np.ndarray:
    """Return features (n, d) with a last column of ones."""
    return np.hstack([features, np.ones((len(features), 1))])


def fit_logistic(features: np.ndarray, correct: np.ndarray) -> np.ndarray:
    """Return the weights (d + 1,) of least mean log loss + penalty / 2 * |weights|^2; the last, the intercept, is free.

    features: (n, d), standardised. correct: (n,) bool. Newton's steps, halved while they raise the loss.
    """
    features, signs = with_intercept(features), np.where(correct, 1.0, -1.0)
    penalty = np.append(np.full(features.shape[1] - 1, _PENALTY), 0.0)

    def loss(weights: np.ndarray) -> float:
        return np.logaddexp(0, -signs * (features @ weights)).mean() + (penalty * weights**2).sum() / 2

    weights = np.zeros(features.shape[1])
    for _ in range(_STEPS):
        p = expit(features @ weights)
        slope = features.T @ (p - correct) / len(correct) + penalty * weights
        curvature = (features.T * (p * (1 - p))) @ features / len(correct) + np.diag(penalty)
        step = np.linalg.lstsq(curvature, slope, rcond=None)[0]
        length, before = 1.0, loss(weights)
        while loss(weights - length * step) > before and length > _TOLERANCE:
            length /= 2
        weights = weights - length * step
        if np.abs(length * step).max() < _TOLERANCE:
            break
    return weights
