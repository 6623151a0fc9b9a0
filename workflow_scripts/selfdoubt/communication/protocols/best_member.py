"""Best member: the predictions of the member that is most accurate on val, for one forward pass."""

import numpy as np

from selfdoubt.communication.combining import Combined, Members
from selfdoubt.communication.probabilities import log_probabilities
from selfdoubt.evaluation.softmax import first_fault
from selfdoubt.evaluation.undefined import Undefined


def decide(members: Members, settings) -> Combined:
    """Decide by the member of the highest accuracy on val; its predictions of val are its own, as it saw no label."""
    best = best_of(members.val_logits, members.val_labels)
    return Combined(log_probabilities(members.logits[best]), {"member": best}, forwards=1)


def best_of(logits: list[np.ndarray], labels: np.ndarray) -> int:
    """Return the place of the member of the highest accuracy, the first of equals, from logits (n, K) of each.

    Raises Undefined if there are no images, or logits that are not finite.
    """
    if len(labels) == 0:
        raise Undefined("no samples in val")
    for member in logits:
        if fault := first_fault(member, labels):
            raise Undefined(f"val: {fault}")
    return int(np.argmax([(member.argmax(1) == labels).sum() for member in logits]))
