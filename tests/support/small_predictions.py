"""Random predictions of a few splits, and what is asked for of their metrics."""

from types import SimpleNamespace

import numpy as np

from selfdoubt.evaluation.predictions import Predictions
from selfdoubt.settings.metrics import METRICS

IDENTITY = {"dataset": "d", "name": "ce", "role": "baseline", "replicate": 1, "variant": "clean"}
SETTINGS = SimpleNamespace(
    scores=["msp", "msp-ts", "margin", "logit-margin", "entropy", "gini", "energy", "max-logit", "pnorm"],
    metrics=[*METRICS],
    selective_accuracies_percent=[90, 99.5],
    coverages_percent=[80],
    ood_mixed_percent=[50],
    ece_bins=15,
    n_resamples=200,
    resampled_splits=["test"],
)


def split_of(replicate, n, n_classes=4, evidence=2.0):
    generator = np.random.default_rng(replicate)
    labels = generator.integers(0, n_classes, n)
    logits = generator.normal(0, 1, (n, n_classes)) + evidence * np.eye(n_classes)[labels]
    return Predictions(logits.astype(np.float32), labels)


def predictions_of(replicate=0):
    classes = np.arange(60) % 6
    ood = Predictions(split_of(replicate + 3, 60).logits / 2, np.full(60, -1), ood_classes=classes.astype(np.int16))
    return {
        "val": split_of(replicate, 150),
        "test": split_of(replicate + 1, 200),
        "ood-digits": ood,
        "blur-1": split_of(replicate + 2, 80, evidence=1.0),
        "blur-5": split_of(replicate + 4, 80, evidence=0.5),
        "noise-1": split_of(replicate + 5, 80, evidence=0.7),
    }


def find(rows, **place):
    (row,) = [row for row in rows if all(row[key] == value for key, value in place.items())]
    return row
