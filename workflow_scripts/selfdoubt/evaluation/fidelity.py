"""How alike a student and its teacher predict, and where the student gains. Definitions: docs/metrics.md.

Of clean predictions of one split, at temperature 1, whatever the student's loss and target transform: the student is
compared with the teacher's own predictions. Arrays are of the same n images, in the same order.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from selfdoubt.evaluation import calibration, rankings
from selfdoubt.evaluation.log_odds import log_odds
from selfdoubt.evaluation.predictions import LEAST, Predictions
from selfdoubt.evaluation.softmax import Softmax, first_fault, fit_temperature
from selfdoubt.evaluation.undefined import Undefined, attempt, count

N_DECILES = 10


@dataclass(frozen=True, eq=False)
class Read:
    """What is computed of a model's predictions of a split."""

    softmax: Softmax  # of n rows
    labels: np.ndarray  # (n,)
    confidence: np.ndarray  # (n,) the predicted class's probability
    odds: np.ndarray  # (n,) its log-odds, by which images are ranked: they do not saturate

    @property
    def classes(self) -> np.ndarray:
        """(n,) the predicted classes."""
        return self.softmax.reported

    @property
    def correct(self) -> np.ndarray:
        """(n,) bool."""
        return self.classes == self.labels


def read(sample: Predictions) -> Read:
    """Read predictions with logits; raises Undefined if there are no images, or logits that cannot be computed with."""
    _logits(sample)
    count(sample.labels)
    if fault := first_fault(sample.logits, sample.labels, reported=sample.predicted):
        raise Undefined(fault)
    softmax = Softmax(sample.logits, reported=sample.predicted)
    return Read(softmax, sample.labels, softmax.reported_probability(), log_odds(softmax))


def _logits(sample: Predictions) -> np.ndarray:
    if sample.logits is None:
        raise Undefined("needs logits, which are not known")
    return sample.logits


def mean_of(teachers: list[Predictions]) -> Predictions:
    """Return one teacher as it is, and several as their mean probability."""
    if len(teachers) == 1:
        return teachers[0]
    mean = sum(Softmax(each.logits).probabilities() for each in teachers) / len(teachers)
    return Predictions(np.log(np.maximum(mean, LEAST)), teachers[0].labels, image_ids=teachers[0].image_ids)


def factor_of(known: float | str | None, val: Predictions) -> float:
    """Return what a student's target transform multiplies the teacher's logits by; 1 where it has none.

    known: as `factor_of_logits` of its settings. val: the teacher's. Raises Undefined if it is no factor.
    """
    if known is None:
        raise Undefined("the student's target transform is no factor of the teacher's logits")
    return 1 / fit_temperature(val.logits, val.labels) if known == "val" else known


# ---- rows ----


def rows_of_fidelity(
    student: Predictions, teacher: Predictions, references: dict[str, Predictions], factor, n_bins: int
) -> list[dict]:
    """Return rows of the table of fidelity, without their identity and split.

    references: arms that the student is compared with, by name. factor: what the student's targets are, as a factor of
    the teacher's logits, or Undefined. n_bins: of calibration errors.
    """
    target = attempt(lambda logits, by: read(replace(teacher, logits=logits * by)), attempt(_logits, teacher), factor)
    own, teacher = attempt(read, student), attempt(read, teacher)
    others = {name: attempt(read, sample) for name, sample in references.items()}
    rows = [_row(name, attempt(of, own, teacher), len(student.labels)) for name, of in COMPARED.items()]
    roles = (("student", own, OF_STUDENT), ("teacher", teacher, OF_TEACHER), ("target", target, OF_TARGET))
    for role, values, quantities in roles:
        found = {name: attempt(of, values) for name, of in quantities.items()}
        rows += [_row(f"{role}-{name}", value, len(student.labels)) for name, value in found.items()]
    for role, values in (("teacher", teacher), ("target", target)):
        rows.append(_row(f"{role}-ece", attempt(_ece, values, n_bins), len(student.labels)))
    return [*rows, *_rows_of_deciles(own, teacher, others)]


def _row(quantity: str, value, n: int, decile: int | None = None, reference: str | None = None) -> dict:
    known = {"quantity": quantity, "n": n, "decile": decile, "reference": reference}
    if isinstance(value, Undefined):
        return known | {"value": None, "reason": str(value)}
    return known | {"value": float(value), "reason": None}


def _rows_of_deciles(own, teacher, others: dict) -> Iterator[dict]:
    """Yield the student's numbers in each decile of the teacher's entropy, and their differences from references'."""
    deciles = attempt(lambda t: deciles_of(entropies(t)), teacher)
    for decile in range(1, N_DECILES + 1):
        rows = attempt(lambda of, at: np.flatnonzero(of == at), deciles, decile)
        n = 0 if isinstance(rows, Undefined) else len(rows)
        for quantity, of in OF_DECILES.items():
            value = attempt(of, own, rows)
            yield _row(quantity, value, n, decile)
            for name, other in others.items():
                difference = attempt(lambda one, two: one - two, value, attempt(of, other, rows))
                yield _row(quantity, difference, n, decile, name)


# ---- quantities ----


def agreement(student: Read, teacher: Read) -> float:
    """Return the fraction of images of which both predict the same class."""
    return (student.classes == teacher.classes).mean()


def divergence(student: Read, teacher: Read) -> float:
    """Return the mean over images of KL(teacher || student), in nats."""
    p = teacher.softmax.probabilities()
    difference = _log_probabilities(teacher.softmax) - _log_probabilities(student.softmax)
    return np.einsum("nc,nc->n", p, difference).mean()  # of finite logits: what underflows counts as 0


def _log_probabilities(softmax: Softmax) -> np.ndarray:
    return softmax.shifted - np.log1p(softmax.rest)[:, None]


def correlation(student: Read, teacher: Read) -> float:
    """Return Spearman's correlation of the two confidences over images."""
    return spearman(student.odds, teacher.odds)


def correlation_where_both_are_correct(student: Read, teacher: Read) -> float:
    """Return it over the images that both classify correctly: what accuracy cannot have brought about."""
    both = student.correct & teacher.correct
    return spearman(student.odds[both], teacher.odds[both])


def spearman(one: np.ndarray, other: np.ndarray) -> float:
    """Return the correlation of ranks, (n,) each, ties by their mean rank; raises Undefined where one is constant."""
    ranks = [_ranks(values) for values in (one, other)]
    if any(len(found) < 2 or found.min() == found.max() for found in ranks):
        raise Undefined("fewer than two values that differ")
    return float(np.corrcoef(*ranks)[0, 1])


def _ranks(values: np.ndarray) -> np.ndarray:
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[place]


def entropies(model: Read) -> np.ndarray:
    """Return the entropy of each image's probabilities, (n,), in nats."""
    softmax = model.softmax
    products = np.einsum("nc,nc->n", softmax.below, softmax.shifted)  # 0 for the top class, whose shift is 0
    return np.log1p(softmax.rest) - products * softmax.max_probability()


def deciles_of(values: np.ndarray) -> np.ndarray:
    """Return the decile of each image, (n,), 1 with the lowest values; their sizes differ by one at most.

    Of equal values those of earlier images are the lower ones.
    """
    n = count(values)
    found = np.empty(n, dtype=np.int64)
    found[np.argsort(values, kind="stable")] = np.arange(n) * N_DECILES // n + 1
    return found


def _ece(model: Read, n_bins: int) -> float:
    return calibration.ece(model.confidence, model.correct, n_bins)


def _error(model: Read, rows: np.ndarray) -> float:
    count(rows)
    return 1 - model.correct[rows].mean()


def _confidence(model: Read, rows: np.ndarray, correct: bool) -> float:
    """Return the mean confidence of those of the rows that the model itself classifies correctly, or not."""
    chosen = rows[model.correct[rows] == correct]
    if len(chosen) == 0:
        raise Undefined(f"no {'correct' if correct else 'incorrect'} samples")
    return model.confidence[chosen].mean()


COMPARED = {
    "agreement": agreement,
    "kl": divergence,
    "confidence-correlation": correlation,
    "confidence-correlation-both-correct": correlation_where_both_are_correct,
}
_OF_BOTH = {
    "accuracy": lambda model: rankings.accuracy(model.correct),
    "auroc": lambda model: rankings.auroc(model.odds, model.correct),
}
OF_STUDENT = _OF_BOTH | {"aurc": lambda model: rankings.aurc(model.odds, model.correct)}
OF_TARGET = {"entropy": lambda model: entropies(model).mean()}
OF_TEACHER = _OF_BOTH | OF_TARGET
OF_DECILES = {
    "error": _error,
    "confidence-correct": lambda model, rows: _confidence(model, rows, True),
    "confidence-incorrect": lambda model, rows: _confidence(model, rows, False),
}
