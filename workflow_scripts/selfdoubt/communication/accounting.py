"""What a group's protocols make of their members' answers: errors fixed and broken, and what is left to gain.

Everything is of one split. *Fixed* are images on which the members' mean probability is wrong and the protocol right,
*broken* those the other way round: accuracies differ by (fixed - broken) / n. The members *disagree* where not all of
them name one class; elsewhere no choice among their answers changes anything. The *oracle selector* is right wherever
any member is: no protocol that picks one of the members' answers for each image can be better.
"""

from typing import NamedTuple

import numpy as np

from selfdoubt.communication.probabilities import mean_probability
from selfdoubt.evaluation.undefined import Undefined, count
from selfdoubt.settings.bounds import BEST, ORACLE

_ONE_PASS = {"costs_per_image": {"forwards": 1, "backwards": 0}}


class Members(NamedTuple):
    """What a group's members say of one split by themselves."""

    answers: np.ndarray  # int (L, n) the members' labels
    labels: np.ndarray  # int (n,)
    mean: np.ndarray  # int (n,) the labels of largest mean probability

    @property
    def correct(self) -> np.ndarray:
        """(L, n) bool."""
        return self.answers == self.labels

    @property
    def disagreed(self) -> np.ndarray:
        """(n,) bool: whether not all of them name one class."""
        return (self.answers != self.answers[0]).any(0)


def members_of(logits: list[np.ndarray], labels: np.ndarray) -> Members:
    """Return the members' answers, from the logits (n, K) of each."""
    mean = mean_probability(logits).astype(np.float32)  # as it is stored, so that ties are the same
    return Members(np.array([member.argmax(1) for member in logits]), labels, mean.argmax(1))


def judge(members: Members, answers: np.ndarray, told: dict) -> list[dict]:
    """Return rows of quantity, value, n and reason for all that is known of a protocol.

    accuracy: the share of images whose label is right; accuracy-disagreed: the same of those about which members
    disagree. fixed, broken: images that the mean probability gets wrong and the protocol right, and the reverse.
    weight: of what listeners gained, fitted on val; negative: against the class that gains more. rounds: of talk, mean
    over the images that were talked about. forwards, backwards: passes through a member for an image, and gradients.

    answers: int (n,) the protocol's labels. told: the metadata of its predictions, of which `costs_per_image` and,
    where they are there, `weight` and `rounds` are used.
    """
    right, before = answers == members.labels, members.mean == members.labels
    rows = _accuracies(right, members.disagreed)
    rows += [_row("fixed", (right & ~before).sum(), len(right)), _row("broken", (before & ~right).sum(), len(right))]
    rows += [_row(quantity, told[quantity], None) for quantity in ("weight", "rounds") if quantity in told]
    return rows + [_row(kind, told["costs_per_image"][kind], len(right)) for kind in ("forwards", "backwards")]


def judge_bounds(members: Members, val: Members) -> dict[str, list[dict]]:
    """Return the same of what needs no protocol: the oracle selector, and the member that was best on `val`."""
    best = int(val.correct.sum(1).argmax())
    oracle = _accuracies(members.correct.any(0), members.disagreed)
    return {ORACLE: oracle, BEST: judge(members, members.answers[best], _ONE_PASS)}


def _accuracies(right: np.ndarray, disagreed: np.ndarray) -> list[dict]:
    return [_accuracy("accuracy", right), _accuracy("accuracy-disagreed", right[disagreed])]


def _accuracy(quantity: str, right: np.ndarray) -> dict:
    try:
        return _row(quantity, right.sum() / count(right), len(right))
    except Undefined as reason:
        return _row(quantity, None, 0, str(reason))


def _row(quantity: str, value: float | None, n: int | None, reason: str | None = None) -> dict:
    return {"quantity": quantity, "value": None if value is None else float(value), "n": n, "reason": reason}
