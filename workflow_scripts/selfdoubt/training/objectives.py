"""What training minimises: functions of a batch's logits that compose losses with labels."""

from collections.abc import Callable

import torch
from torch.nn import functional as F

from selfdoubt.training import losses
from selfdoubt.training.batches import Batch

Objective = Callable[[torch.Tensor, Batch], torch.Tensor]  # (logits, batch) -> scalar, the mean over the batch


def from_labels(label_smoothing: float = 0.0) -> Objective:
    """Cross-entropy with the labels, mixed where the batch is."""

    def objective(logits: torch.Tensor, batch: Batch) -> torch.Tensor:
        if batch.weight is None:
            return F.cross_entropy(logits, batch.labels, label_smoothing=label_smoothing)
        return losses.mixed_cross_entropy(logits, batch.labels, batch.other_labels, batch.weight, label_smoothing)

    return objective


def of_label_model(settings) -> Objective:
    """Return the objective of a teacher or a baseline, whose settings may regularise it.

    confidence_penalty: the weight of the entropy of its answers, which is subtracted (Pereyra et al. 2017).
    """
    if settings.virtual_teacher:
        told = vars(settings.virtual_teacher)
        return lambda logits, batch: losses.virtual_teacher(logits, batch.labels, **told)
    plain, weight = from_labels(settings.label_smoothing), settings.confidence_penalty
    if not weight:
        return plain
    return lambda logits, batch: plain(logits, batch) - weight * losses.entropies(logits).mean()
