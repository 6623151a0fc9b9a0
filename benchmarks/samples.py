"""The predictions that both sides of the metric rows are given: a large sample to time, a small one to differ on."""

from functools import cache
from types import SimpleNamespace

import numpy as np

from selfdoubt.evaluation.predictions import Predictions
from selfdoubt.runtime.randomness import generator
from selfdoubt.settings.metrics import METRICS

N, C, N_OUTSIDE, BINS = 50_000, 1_000, 2_000, 15
N_AWKWARD, C_AWKWARD, N_DISTINCT = 2_000, 10, 400
OOD = "ood-far"
SETTINGS = SimpleNamespace(
    scores=["msp"],
    metrics=[*METRICS],
    ece_bins=BINS,
    selective_accuracies_percent=[90, 95, 97, 99, 99.5],
    coverages_percent=[50, 70, 80, 90],
    n_resamples=0,
    resampled_splits=[],
    ood_mixed_percent=[],
)
FAR = -1_000.0  # exp(FAR) is 0 in float64
# Of two classes whose logits differ by log 2 one is twice as probable, so that the largest probability of these rows,
# filled up with FAR, is k / 15, to the last digit: 3, 4, 5, 6, 10 and 12 fifteenths.
ON_EDGES = [[0, 0, 0, 0, 0], [0, 0, 0, -1, -2], [0, 0, 0], [0, 0, -1], [0, -1], [0, -2]]


@cache
def large() -> dict[str, Predictions]:
    """Return logits of a model that is correct about three times in four, without ties.

    It is overconfident where its confidence is low, and underconfident elsewhere.
    """
    draws = generator(0, "benchmark")
    labels = draws.integers(0, C, N)
    logits = draws.normal(size=(N, C)).astype(np.float32)
    logits[np.arange(N), labels] += draws.normal(4.2, 1.5, N).astype(np.float32)
    outside = draws.normal(size=(N_OUTSIDE, C)).astype(np.float32)
    logits *= 3
    outside *= 3
    return {"test": Predictions(logits, labels), OOD: _outside(outside)}


@cache
def awkward() -> dict[str, Predictions]:
    """Return float64 logits of a calibrated model, of which few rows differ.

    Some probabilities are on the edge of a bin, some round to 1, and one of these is incorrect: its label's is 0.
    """
    draws = generator(0, "awkward")
    distinct = draws.normal(0, 4, (N_DISTINCT, C_AWKWARD))
    for row, exponents in enumerate(ON_EDGES):
        distinct[row] = FAR
        distinct[row, : len(exponents)] = np.log(2) * np.array(exponents)
    distinct[len(ON_EDGES)], distinct[len(ON_EDGES), 0] = FAR, 0
    distinct[len(ON_EDGES) + 1], distinct[len(ON_EDGES) + 1, 0] = FAR / 20, 0
    p = np.exp(distinct - np.logaddexp.reduce(distinct, axis=1, keepdims=True))
    shown = draws.integers(N_DISTINCT, size=N_AWKWARD)
    labels = (draws.random((N_AWKWARD, 1)) > np.cumsum(p[shown], axis=1)).sum(1).clip(0, C_AWKWARD - 1)
    labels[np.argmax(shown == len(ON_EDGES))] = 1
    uncertainty = 1 - p.max(1)
    outside = draws.choice(N_DISTINCT, N_AWKWARD // 2, p=uncertainty / uncertainty.sum())
    return {"test": Predictions(distinct[shown], labels), OOD: _outside(distinct[outside])}


def plain(predictions: dict[str, Predictions]) -> dict[str, Predictions]:
    """Return the same without what is awkward: ties broken, off the edges, and without the rows that round to 1."""
    draws, found = generator(0, "plain"), {}
    for split, sample in predictions.items():
        ordered = np.sort(sample.logits, axis=1)
        kept = ordered[:, -1] - ordered[:, -2] < 30
        logits = sample.logits[kept]
        found[split] = Predictions(logits + draws.normal(0, 1e-4, logits.shape), sample.labels[kept])
    return found


def _outside(logits: np.ndarray) -> Predictions:
    return Predictions(logits, np.full(len(logits), -1))
