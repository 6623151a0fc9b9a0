"""Majority vote: the class that most members predict (Hansen & Salamon 1990), ties broken by the mean probability."""

import numpy as np

from selfdoubt.communication.combining import Combined, Members
from selfdoubt.communication.probabilities import in_blocks, mean_probability


def decide(members: Members, settings) -> Combined:
    """Return the log of the fractions of votes, the mean probability having one more vote, which it splits."""
    return Combined(majority_vote(members.logits), {})


def majority_vote(logits: list[np.ndarray]) -> np.ndarray:
    """Return log((votes_k + mean probability of k) / (L + 1)) for L members, from logits (n, K) of each.

    A member votes for its largest logit, the lowest class on a tie. A class with more votes always has more
    probability; the mean decides between classes of equal votes, and ranks images of equal votes, which fractions alone
    would tie. Fractions alone have zeros, too.
    """
    return in_blocks(_majority_vote, logits)


def _majority_vote(logits: list[np.ndarray]) -> np.ndarray:
    votes = sum(np.eye(member.shape[1])[member.argmax(1)] for member in logits)  # (n, K)
    with np.errstate(divide="ignore"):
        return np.logaddexp(np.log(votes), mean_probability(logits)) - np.log(len(logits) + 1)
