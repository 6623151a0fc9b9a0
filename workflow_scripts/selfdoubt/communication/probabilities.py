"""Members' logits made into one table of log probabilities, where nothing needs to be fitted.

What a group answers are log probabilities, float64 (n, K), whose exponentials sum to 1 in each row.
"""

import numpy as np
from scipy.special import log_softmax, logsumexp


def log_probabilities(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Return log softmax of logits (n, K) / temperature, in float64."""
    return log_softmax(logits.astype(np.float64) / temperature, axis=1)


def mean_probability(logits: list[np.ndarray]) -> np.ndarray:
    """Return the log of the members' mean softmax, from logits (n, K) of each (the linear opinion pool, Stone 1961)."""
    each = [log_probabilities(member) for member in logits]  # L x (n, K)
    return logsumexp(each, axis=0) - np.log(len(each))


def mean_logit(logits: list[np.ndarray]) -> np.ndarray:
    """Return log softmax of the members' mean logits: the normalised geometric mean of their probabilities.

    The logarithmic opinion pool (Genest & Zidek 1986); a member that is very sure that a class is wrong can veto it.
    """
    return log_probabilities(np.mean([member.astype(np.float64) for member in logits], axis=0))


def majority_vote(logits: list[np.ndarray]) -> np.ndarray:
    """Return the log of vote shares in which the mean probability has one more vote, which it splits.

    p_k = (votes_k + mean probability of k) / (L + 1), for L members that vote for their largest logit, the lowest class
    on a tie. A class with more votes always has more probability; the mean decides between classes of equal votes, and
    ranks images of equal votes, which shares alone would tie. Raw shares (Hansen & Salamon 1990) have zeros, too.
    """
    votes = sum(np.eye(member.shape[1])[member.argmax(1)] for member in logits)  # (n, K)
    with np.errstate(divide="ignore"):
        return np.logaddexp(np.log(votes), mean_probability(logits)) - np.log(len(logits) + 1)
