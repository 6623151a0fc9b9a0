"""Clean-logistic: a logistic model of the clean logits alone, the control of methods that are fitted on val."""

from types import SimpleNamespace

import numpy as np
import torch
from torch import nn

from selfdoubt.enhancers import correctness
from selfdoubt.enhancers.batches import Batch, EnhancedBatch, batches_of
from selfdoubt.evaluation.correctness_model import features_of_logits


def fit(model: nn.Module, val, candidates: list[SimpleNamespace], parts: list[np.ndarray], seed: int) -> list[list]:
    """Return, for each candidate, the logistic model fitted on each of the parts (row numbers) of `val`."""
    logits = np.concatenate([_clean(batch).cpu().numpy() for batch in batches_of(model, val.images, val.labels)])
    features = features_of_logits(logits)
    return [correctness.fit_on_parts(features, logits, val.labels, s.l2_penalty, parts) for s in candidates]


def enhance(batch: Batch, settings, generator: np.random.Generator, fitted: correctness.Logistic) -> EnhancedBatch:
    """Leave images and predicted classes as they are; write the model's probability of correctness into the logits."""
    clean = _clean(batch)
    logits = clean.cpu().numpy()
    log_odds = fitted.log_odds(features_of_logits(logits))
    enhanced = torch.from_numpy(correctness.with_confidence(logits, log_odds)).to(clean.device)
    return EnhancedBatch(enhanced, batch.images, clean.argmax(1))


def _clean(batch: Batch) -> torch.Tensor:
    return batch.once(("clean",), lambda: batch.logits(batch.images))
