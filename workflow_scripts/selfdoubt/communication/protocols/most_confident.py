"""Most confident: the prediction of the member with the largest probability, at temperatures fitted on val."""

from functools import partial

import numpy as np

from selfdoubt.communication.combining import Combined, Members
from selfdoubt.communication.probabilities import in_blocks, log_probabilities
from selfdoubt.evaluation.log_odds import log_odds
from selfdoubt.evaluation.softmax import fit_temperature


def decide(members: Members, settings) -> Combined:
    """Decide by the most confident member, at the temperature of each that minimises its NLL (Guo et al. 2017).

    Without temperatures the most overconfident member would decide everything.
    """
    temperatures = [fit_temperature(logits, members.val_labels) for logits in members.val_logits]
    return Combined(most_confident(members.logits, temperatures), {"temperatures": temperatures})


def most_confident(logits: list[np.ndarray], temperatures: list[float]) -> np.ndarray:
    """Return, for each image, the log probabilities of the member with the largest probability, the first of equals.

    logits: (n, K) of each member, divided by its temperature.
    """
    return in_blocks(partial(_most_confident, temperatures=temperatures), logits)


def _most_confident(logits: list[np.ndarray], temperatures: list[float]) -> np.ndarray:
    pairs = list(zip(logits, temperatures, strict=True))
    chosen = np.argmax([log_odds(*pair) for pair in pairs], axis=0)  # (n,), by log-odds
    each = np.stack([log_probabilities(*pair) for pair in pairs])  # (L, n, K)
    return each[chosen, np.arange(each.shape[1])]
