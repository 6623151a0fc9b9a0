"""View-logistic: a logistic model of clean logits and of how views agree on the clean prediction."""

from types import SimpleNamespace

import numpy as np
from torch import nn

from selfdoubt.enhancers import correctness, signal_logistic, views
from selfdoubt.enhancers.batches import Batch, EnhancedBatch


def fit(model: nn.Module, val, candidates: list[SimpleNamespace], parts: list[np.ndarray], seed: int) -> list[list]:
    """Return, for each candidate, the logistic model fitted on each of the parts (row numbers) of `val`."""
    return signal_logistic.fit(model, val, candidates, parts, seed, signals_of, features_of)


def enhance(batch: Batch, settings, generator: np.random.Generator, fitted: correctness.Logistic) -> EnhancedBatch:
    """Write the model's probability of correctness into the clean logits; the predicted class is kept."""
    return signal_logistic.enhance(batch, settings, generator, fitted, signals_of, features_of)


def signals_of(batch: Batch, settings, generator: np.random.Generator) -> signal_logistic.Signals:
    """Return the signals of `views.signals`."""
    seen = views.look(batch, settings, generator)
    return signal_logistic.Signals(seen.clean, seen.images, seen.columns)


def features_of(columns: dict[str, np.ndarray]) -> list[np.ndarray]:
    """Return the columns as they are."""
    return [*columns.values()]
