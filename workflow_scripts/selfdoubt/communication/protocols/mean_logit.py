"""Mean logit: the normalised geometric mean of the members' probabilities (Genest & Zidek 1986)."""

import numpy as np

from selfdoubt.communication.combining import Combined, Members
from selfdoubt.communication.probabilities import in_blocks, log_probabilities


def decide(members: Members, settings) -> Combined:
    """Return log softmax of the members' mean logits."""
    return Combined(mean_logit(members.logits), {})


def mean_logit(logits: list[np.ndarray]) -> np.ndarray:
    """Return log softmax of the mean of logits, (n, K) of each member, in float64.

    The logarithmic opinion pool: one member with a very low probability of a class can veto it.
    """
    return in_blocks(_mean_logit, logits)


def _mean_logit(logits: list[np.ndarray]) -> np.ndarray:
    return log_probabilities(np.mean([member.astype(np.float64) for member in logits], axis=0))
