"""Confidence heads: small networks that predict whether each prediction is correct, trained on `val`.

They are what a user would train in place of `deep`. The label is kept, the head's log-odds are written into the clean
logits.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from selfdoubt.enhancers import correctness
from selfdoubt.enhancers.batches import Batch, EnhancedBatch
from selfdoubt.evaluation.correctness_model import features_of_logits
from selfdoubt.training import small_networks


class Last(nn.Module):
    """A linear layer from features (n, width), and from what is known of the predictions, to log-odds (n,).

    Where anything is known its last column, the clean log-odds, is added and the layer starts at 0: untrained the head
    is the clean confidence.
    """

    def __init__(self, width: int, known: Tensor):
        """known: of the predictions that it is trained on, (m, d), of `known_of`; d may be 0."""
        super().__init__()
        self.standard, self.layer = small_networks.Standardised(known), nn.Linear(width + known.shape[1], 1)
        if known.shape[1]:
            nn.init.zeros_(self.layer.weight)
            nn.init.zeros_(self.layer.bias)

    def forward(self, features: Tensor, known: Tensor) -> Tensor:
        found = self.layer(torch.cat([features, self.standard(known)], 1))[:, 0]
        return found + known[:, -1] if known.shape[1] else found


def known_of(logits: Tensor, settings) -> Tensor:
    """Return what a head has of logits (n, K), float32 (n, d): the features of `clean-logistic`, or nothing.

    settings: reads_logits.
    """
    if not settings.reads_logits:
        return logits[:, :0]
    return torch.from_numpy(features_of_logits(logits.cpu().numpy())).to(logits)


def train(
    head: nn.Module,
    inputs_of: Callable[[Tensor], tuple[Tensor, ...]],
    correct: Tensor,
    settings,
    seed: int,
    objective: Callable[[Tensor, Tensor], Tensor] = nn.functional.binary_cross_entropy_with_logits,
    targets: Tensor | None = None,
) -> nn.Module:
    """Train a head, which returns log-odds (n,), on n predictions.

    inputs_of: what the head takes, from row numbers. correct: bool (n,). objective: of log-odds and targets, which are
    `correct` unless others are given. Raises UserError if all or none of the predictions is correct.
    """
    correctness.check_both(correct.cpu().numpy())
    targets = correct.float() if targets is None else targets

    def loss_of(rows: Tensor) -> Tensor:
        rows = rows.to(targets.device)
        return objective(head(*inputs_of(rows)), targets[rows])

    return small_networks.train(head, len(targets), loss_of, settings, seed, "enhancers")


def with_log_odds(batch: Batch, logits: Tensor, log_odds: Tensor) -> EnhancedBatch:
    """Write log-odds (n,) into the clean logits (n, K); images and predicted classes stay as they are."""
    written = correctness.with_confidence(logits.cpu().numpy(), log_odds.cpu().numpy().astype(np.float64))
    return EnhancedBatch(torch.from_numpy(written).to(batch.images.device), batch.images, logits.argmax(1))
