"""Logistic models of whether predictions are correct, from clean logits and from signals that a method measures.

Fitted on parts of val; their probability is written into the clean logits. What a method gives:

    signals_of(batch, settings, generator) -> Signals
    features_of(columns) -> list[np.ndarray]        of the signals' columns, the features beside those of clean logits
"""

from collections.abc import Callable
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from selfdoubt.enhancers import correctness
from selfdoubt.enhancers.batches import Batch, EnhancedBatch, batches_of
from selfdoubt.evaluation.correctness_model import features_of_logits
from selfdoubt.runtime import randomness


class Signals(NamedTuple):
    """What was measured of a batch of n images."""

    logits: Tensor  # (n, K), clean
    images: Tensor  # (n, C, H, W), to be shown
    columns: dict[str, Tensor]  # float32 (n,)


def fit(
    model: nn.Module,
    val,
    candidates: list[SimpleNamespace],
    parts: list[np.ndarray],
    seed: int,
    signals_of: Callable,
    features_of: Callable,
) -> list[list[correctness.Logistic]]:
    """Return, for each candidate, the logistic model fitted on each of the parts (row numbers) of `val`.

    Candidates that differ in l2_penalty alone share their signals, and all share their draws.
    """
    gathered = {}

    def gather(settings) -> tuple[np.ndarray, np.ndarray]:
        generator = randomness.generator(seed, f"{settings.method}/fit")
        batches = batches_of(model, val.images, val.labels)
        found = [_features(signals_of(batch, settings, generator), features_of) for batch in batches]
        features, logits = map(np.concatenate, zip(*found, strict=True))
        return features, logits

    fitted = []
    for settings in candidates:
        if _measured(settings) not in gathered:
            gathered[_measured(settings)] = gather(settings)
        fitted.append(correctness.fit_on_parts(*gathered[_measured(settings)], val.labels, settings.l2_penalty, parts))
    return fitted


def enhance(
    batch: Batch,
    settings,
    generator: np.random.Generator,
    fitted: correctness.Logistic,
    signals_of: Callable,
    features_of: Callable,
) -> EnhancedBatch:
    """Write the model's probability of correctness into the clean logits; the predicted class is kept."""
    signals = batch.once(("signals", _measured(settings)), lambda: signals_of(batch, settings, generator))
    features, logits = _features(signals, features_of)
    enhanced = torch.from_numpy(correctness.with_confidence(logits, fitted.log_odds(features)))
    return EnhancedBatch(enhanced.to(batch.images.device), signals.images, signals.logits.argmax(1), signals.columns)


def _measured(settings) -> tuple:
    """Return the settings on which signals depend."""
    return tuple((key, value) for key, value in sorted(vars(settings).items()) if key != "l2_penalty")


def _features(signals: Signals, features_of: Callable) -> tuple[np.ndarray, np.ndarray]:
    logits = signals.logits.cpu().numpy()
    columns = {name: values.cpu().numpy().astype(np.float64) for name, values in signals.columns.items()}
    return np.column_stack([features_of_logits(logits), *features_of(columns)]), logits
