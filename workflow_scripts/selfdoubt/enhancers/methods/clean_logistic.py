"""Clean-logistic: a logistic model of the clean logits alone, the control of methods that are fitted on val."""

from types import SimpleNamespace

import numpy as np
from torch import nn

from selfdoubt.enhancers import correctness, signal_logistic
from selfdoubt.enhancers.batches import Batch, EnhancedBatch


def fit(model: nn.Module, val, candidates: list[SimpleNamespace], parts: list[np.ndarray], seed: int) -> list[list]:
    """Return, for each candidate, the logistic model fitted on each of the parts (row numbers) of `val`."""
    return signal_logistic.fit(model, val, candidates, parts, seed, _signals_of, _features_of)


def enhance(batch: Batch, settings, generator: np.random.Generator, fitted: correctness.Logistic) -> EnhancedBatch:
    """Leave images and predicted classes as they are; write the model's probability of correctness into the logits."""
    return signal_logistic.enhance(batch, settings, generator, fitted, _signals_of, _features_of)


def _signals_of(batch: Batch, settings, generator: np.random.Generator) -> signal_logistic.Signals:
    return signal_logistic.Signals(batch.logits(batch.images), batch.images, {})


def _features_of(columns: dict[str, np.ndarray]) -> list[np.ndarray]:
    return []
