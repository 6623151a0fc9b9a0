"""A group's protocols compared with its members: errors fixed and broken, and how much could be gained at most.

Everything is of one split. *Fixed* are images on which the members' mean probability is incorrect and the protocol
correct, *broken* the reverse: accuracies differ by (fixed - broken) / n. The members *disagree* where they do not all
predict one class; elsewhere no choice between their predictions changes anything. The *oracle selector* is correct
wherever a member is: the upper bound of every protocol that picks one of the members' predictions for each image.
"""

from typing import NamedTuple

import numpy as np

from selfdoubt.communication.probabilities import mean_probability
from selfdoubt.evaluation.undefined import Undefined, count
from selfdoubt.settings.upper_bounds import BEST, ORACLE

_ONE_PASS = {"costs_per_image": {"forwards": 1, "backwards": 0}}


class Members(NamedTuple):
    """The clean predictions of a group's members on one split."""

    predicted: np.ndarray  # int (L, n) predicted classes
    labels: np.ndarray  # int (n,)
    mean: np.ndarray  # int (n,) the classes of largest mean probability

    @property
    def correct(self) -> np.ndarray:
        """(L, n) bool."""
        return self.predicted == self.labels

    @property
    def disagree(self) -> np.ndarray:
        """(n,) bool: whether they do not all predict one class."""
        return (self.predicted != self.predicted[0]).any(0)


def members_of(logits: list[np.ndarray], labels: np.ndarray) -> Members:
    """Return the members' predictions, from the logits (n, K) of each."""
    mean = mean_probability(logits).astype(np.float32)  # as it is stored, so that ties are the same
    return Members(np.array([member.argmax(1) for member in logits]), labels, mean.argmax(1))


def compare(members: Members, predicted: np.ndarray, metadata: dict) -> list[dict]:
    """Return a protocol's rows of quantity, value, n and reason.

    accuracy: the fraction of images that are classified correctly; accuracy-disagreed: of those about which members
    disagree. fixed, broken: numbers of images, defined above. weight: of the gains, fitted on val; negative:
    against the class that gains more. rounds: of a dialogue, mean over images on which members disagree. forwards,
    backwards: passes and gradients for an image.

    predicted: int (n,) the protocol's classes. metadata: of its predictions, of which `costs_per_image` and, where they
    exist, `weight` and `rounds` are used.
    """
    correct, before = predicted == members.labels, members.mean == members.labels
    n = len(correct)
    rows = _accuracies(correct, members.disagree)
    rows += [_row("fixed", (correct & ~before).sum(), n), _row("broken", (before & ~correct).sum(), n)]
    rows += [_row(quantity, metadata[quantity], None) for quantity in ("weight", "rounds") if quantity in metadata]
    return rows + [_row(kind, metadata["costs_per_image"][kind], n) for kind in ("forwards", "backwards")]


def references(members: Members, val: Members | None) -> dict[str, list[dict]]:
    """Return such rows of what needs no protocol: accuracies of the oracle selector, all of the member best on `val`.

    val: None where there is none; then no member is chosen.
    """
    if val is None:
        return {ORACLE: _accuracies(members.correct.any(0), members.disagree)}
    best = int(val.correct.sum(1).argmax())
    oracle = _accuracies(members.correct.any(0), members.disagree)
    return {ORACLE: oracle, BEST: compare(members, members.predicted[best], _ONE_PASS)}


def _accuracies(correct: np.ndarray, disagree: np.ndarray) -> list[dict]:
    return [_accuracy("accuracy", correct), _accuracy("accuracy-disagreed", correct[disagree])]


def _accuracy(quantity: str, correct: np.ndarray) -> dict:
    try:
        return _row(quantity, correct.sum() / count(correct), len(correct))
    except Undefined as reason:
        return _row(quantity, None, 0, str(reason))


def _row(quantity: str, value: float | None, n: int | None, reason: str | None = None) -> dict:
    return {"quantity": quantity, "value": None if value is None else float(value), "n": n, "reason": reason}
