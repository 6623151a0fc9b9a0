"""Which images an arm classifies incorrectly with most confidence, and of which two arms' probabilities differ most.

All is averaged over replicates: an image is shown for what an arm's trainings have in common, not for one of them.
"""

from dataclasses import dataclass

import numpy as np

from selfdoubt.evaluation.predictions import Predictions
from selfdoubt.evaluation.softmax import each_block


@dataclass(frozen=True)
class Seen:
    """What the replicates of one arm predict of n images."""

    labels: np.ndarray  # (n,)
    image_ids: np.ndarray  # (n,), ascending
    predicted: np.ndarray  # (replicates, n)
    confidence: np.ndarray  # (replicates, n), the probability of the predicted class
    of_label: np.ndarray  # (replicates, n), the probability of the label

    @property
    def incorrect(self) -> np.ndarray:
        """(replicates, n) bool."""
        return self.predicted != self.labels

    def error_confidence(self) -> np.ndarray:
        """Return the mean over replicates of the probability of an incorrect prediction, 0 of a correct one, (n,)."""
        return np.where(self.incorrect, self.confidence, 0.0).mean(0)


def seen(replicates: list[Predictions]) -> Seen:
    """Return what the replicates of one arm predict of the same images; they have logits."""
    parts = [_of_replicate(each) for each in replicates]
    first = replicates[0]
    return Seen(first.labels, first.image_ids, *(np.stack(values) for values in zip(*parts, strict=True)))


def _of_replicate(predictions: Predictions) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    def of_block(rows: slice, softmax) -> tuple[np.ndarray, np.ndarray]:
        return softmax.reported_probability(), np.exp(softmax.log_probability(predictions.labels[rows]))

    blocks = each_block(predictions.logits, of_block, predictions.predicted)
    confidence, of_label = (np.concatenate(values) for values in zip(*blocks, strict=True))
    return predictions.classes, confidence, of_label


def rows_of(arms: dict[str, Seen], reference: str, n_images: int) -> list[dict]:
    """Return the images to show as rows of PICTURES without their pictures: the first of each list, then the second, …

    reference: the arm with which the others are compared; if it is not there, none is.
    """
    lists = [_errors(name, arm, n_images) for name, arm in arms.items()]
    for name in [name for name in arms if name != reference and reference in arms]:
        lists += _differences(name, arms[name], reference, arms[reference], n_images)
    return [row for rank in range(n_images) for rows in lists for row in rows[rank : rank + 1]]


def _errors(name: str, arm: Seen, n_images: int) -> list[dict]:
    confidence = arm.error_confidence()
    order = np.argsort(-confidence, kind="stable")[:n_images]
    rows = enumerate([i for i in order if confidence[i] > 0], start=1)
    return [{"list": "errors", "arm": name, "than": None, "rank": rank} | _row(arm, i) for rank, i in rows]


def _differences(name: str, arm: Seen, than: str, other: Seen, n_images: int) -> list[list[dict]]:
    """Return the images where an arm gives the label most probability beyond another's, and most below it."""
    difference = arm.of_label.mean(0) - other.of_label.mean(0)
    lists = []
    for word, sign in (("gains", 1), ("losses", -1)):
        order = np.argsort(-sign * difference, kind="stable")[:n_images]
        rows = enumerate([i for i in order if sign * difference[i] > 0], start=1)
        of_other = [{"than_" + key: value for key, value in _row(other, i).items() if key in _OF_ARM} for i in order]
        found = {"list": word, "arm": name, "than": than}
        lists.append([found | {"rank": rank} | _row(arm, i) | of_other[rank - 1] for rank, i in rows])
    return lists


_OF_ARM = ("predicted", "confidence", "of_label", "n_incorrect", "n_replicates")


def _row(arm: Seen, i: int) -> dict:
    """Return one image with what an arm predicts of it: the class that most replicates do, incorrect ones first."""
    wrong = arm.incorrect[:, i]
    shown = arm.predicted[wrong if wrong.any() and 2 * wrong.sum() >= len(wrong) else slice(None), i]
    classes, counts = np.unique(shown, return_counts=True)
    predicted = int(classes[counts.argmax()])
    of_class = arm.confidence[arm.predicted[:, i] == predicted, i]
    return {
        "image_id": int(arm.image_ids[i]),
        "label": int(arm.labels[i]),
        "predicted": predicted,
        "confidence": float(of_class.mean()),
        "of_label": float(arm.of_label[:, i].mean()),
        "n_incorrect": int(wrong.sum()),
        "n_replicates": len(wrong),
    }
