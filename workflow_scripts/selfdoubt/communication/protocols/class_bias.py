"""Class bias: the mean probability and a bias a class, fitted on val: the reference of protocols that send messages.

    log p = log softmax(log of the members' mean probability + b)

b (a number a class) minimises the mean NLL plus penalty / 2 |b|^2. It knows nothing of an image but what its members
predict, so what it corrects is how often the mean predicts each class.
"""

import numpy as np

from selfdoubt.communication import out_of_fold, pools
from selfdoubt.communication.combining import Combined, Members
from selfdoubt.communication.probabilities import mean_probability


def _arrays(logits: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    return mean_probability(logits), np.empty((0, *logits[0].shape))


BIAS = pools.Pool(_arrays)


def decide(members: Members, settings) -> Combined:
    """Decide by the bias fitted on val, at the penalty chosen there by cross-validation; val out-of-fold.

    Raises Undefined if val has fewer images than folds, or logits that are not finite.
    """
    return out_of_fold.decide(members, settings, BIAS.fit, BIAS.predict)
