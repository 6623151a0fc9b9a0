"""The objective of augmented models: of mixed images, and perhaps of clean ones as well."""

from dataclasses import replace

import torch
from torch.nn import functional as F

from selfdoubt.training import losses
from selfdoubt.training.batches import Batch


def of_augmented(settings) -> losses.Objective:
    """Return the cross-entropy with mixed labels; `also_clean` (eta) adds it, times eta, to that of the clean images.

    CE(x, y) + eta CE(x_mix, y_mix), as RegMixup has it (Pinto et al. 2022), for every mixing. The logits are then of
    the clean images, followed by the mixed ones. A weight (b, 2) is as `mixing.draws` has it.

    settings: of an augmented model, `label_smoothing` and `mixing`.
    """
    plain, eta = losses.from_labels(settings.label_smoothing), getattr(settings.mixing, "also_clean", None)

    def of_mixed(logits: torch.Tensor, batch: Batch) -> torch.Tensor:
        if batch.weight.ndim == 1:
            return plain(logits, batch)
        kept, seen = batch.weight.T
        options = {"reduction": "none", "label_smoothing": settings.label_smoothing}
        first, second = (F.cross_entropy(logits, each, **options) for each in (batch.labels, batch.other_labels))
        uniform = -logits.log_softmax(-1).mean(-1)
        return (seen * (kept * first + (1 - kept) * second) + (1 - seen) * uniform).mean()

    def of_both(logits: torch.Tensor, batch: Batch) -> torch.Tensor:
        n = len(batch.labels)
        clean = replace(batch, other_labels=batch.labels, weight=None)
        return plain(logits[:n], clean) + eta * of_mixed(logits[n:], batch)

    return of_mixed if eta is None else of_both
