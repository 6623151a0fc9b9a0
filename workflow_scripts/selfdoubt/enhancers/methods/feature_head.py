"""Feature-head: a small network that reads the penultimate features and estimates whether the prediction is correct.

The idea of ConfidNet (Corbiere et al. 2019), whose target is the probability of the true class. Theirs has five layers
of 400, is trained on the images that the classifier was trained on, and fine-tunes a copy of it in the end; here it is
of the size that the settings give, and trained on val.
"""

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import torch
from torch import Tensor, nn

from selfdoubt.enhancers import heads
from selfdoubt.enhancers.batches import Batch, EnhancedBatch, batches_of
from selfdoubt.models import penultimate
from selfdoubt.training import small_networks


class FeatureHead(nn.Module):
    """Standardised features, n_layers hidden layers of `width` with GELU, a number."""

    def __init__(self, features: Tensor, known: Tensor, width: int, n_layers: int):
        """features, known: of the predictions that it is trained on, (m, d) and as of `heads.Last`."""
        super().__init__()
        sizes = [features.shape[1], *[width] * n_layers]
        hidden = [(nn.Linear(a, b), nn.GELU()) for a, b in pairwise(sizes)]
        layers = [layer for pair in hidden for layer in pair]
        self.layers, self.last = nn.Sequential(small_networks.Standardised(features), *layers), heads.Last(width, known)

    def forward(self, features: Tensor, known: Tensor) -> Tensor:
        """Two of (n, d) -> log-odds (n,)."""
        return self.last(self.layers(features), known)


def squared(log_odds: Tensor, probabilities: Tensor) -> Tensor:
    """Return the mean squared error of sigmoid(log-odds) against probabilities, both (n,): ConfidNet's loss."""
    return nn.functional.mse_loss(log_odds.sigmoid(), probabilities)


def fit(model: nn.Module, val, candidates: list[SimpleNamespace], parts: list[np.ndarray], seed: int) -> list[list]:
    """Return, for each candidate, the head trained on each of the parts (row numbers) of `val`."""
    found = [(*predict(batch), batch.labels) for batch in batches_of(model, val.images, val.labels)]
    logits, features, labels = map(torch.cat, zip(*found, strict=True))
    correct = logits.argmax(1) == labels
    of_truth = logits.softmax(-1).gather(1, labels[:, None])[:, 0]

    def trained(settings, part: np.ndarray) -> FeatureHead:
        part = torch.from_numpy(part).to(features.device)
        own, known, shape = features[part], heads.known_of(logits[part], settings), (settings.width, settings.n_layers)
        head = small_networks.untrained(lambda: FeatureHead(own.cpu(), known.cpu(), *shape), settings.method, seed)
        further = {"objective": squared, "targets": of_truth[part]} if settings.target != "correctness" else {}
        head.to(own.device)
        return heads.train(head, lambda rows: (own[rows], known[rows]), correct[part], settings, seed, **further)

    return [[trained(settings, part) for part in parts] for settings in candidates]


@torch.no_grad()
def enhance(batch: Batch, settings, generator: np.random.Generator, fitted: FeatureHead) -> EnhancedBatch:
    """Write the head's log-odds into the clean logits; the predicted class is kept. Costs one forward."""
    logits, features = batch.once(("features",), lambda: predict(batch))
    return heads.with_log_odds(batch, logits, fitted(features, heads.known_of(logits, settings)))


def predict(batch: Batch) -> tuple[Tensor, Tensor]:
    """Return logits (n, K) and penultimate features (n, d), float32.

    Raises UserError if the network ends in no linear layer, or its features are no vectors.
    """
    with penultimate.kept(batch.model, "method: feature-head", Tensor.float) as found:
        logits = batch.logits(batch.images)
    return logits, found[0]
