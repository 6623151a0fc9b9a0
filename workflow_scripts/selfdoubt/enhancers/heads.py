"""Confidence heads: small networks that say of each prediction whether it is correct, trained on `val`.

They are what a user would train in place of `deep`. The label is kept, the head's log-odds are written into the clean
logits.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from selfdoubt.enhancers import correctness, fitting
from selfdoubt.enhancers.batches import Batch, EnhancedBatch


class Standardised(nn.Module):
    """Subtracts the mean and divides by the deviation of rows (m, d); what never varies becomes 0."""

    def __init__(self, rows: Tensor):
        super().__init__()
        self.register_buffer("mean", rows.mean(0))
        deviation = (rows - self.mean).square().mean(0).sqrt()
        self.register_buffer("deviation", torch.where(deviation > 0, deviation, torch.inf))

    def forward(self, rows: Tensor) -> Tensor:
        return (rows - self.mean) / self.deviation


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

    return fitting.train(head, len(targets), loss_of, settings, seed)


def with_log_odds(batch: Batch, logits: Tensor, log_odds: Tensor) -> EnhancedBatch:
    """Write log-odds (n,) into the clean logits (n, K); images and predicted classes stay as they are."""
    written = correctness.with_confidence(logits.cpu().numpy(), log_odds.cpu().numpy().astype(np.float64))
    return EnhancedBatch(torch.from_numpy(written).to(batch.images.device), batch.images, logits.argmax(1))
