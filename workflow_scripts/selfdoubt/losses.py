"""Losses: each takes logits in float32 and returns a scalar, the mean over the batch."""

import torch
from torch.nn import functional as F


def mixed_cross_entropy(logits, labels, other_labels, weight, label_smoothing: float = 0.0) -> torch.Tensor:
    """Cross-entropy with the label `labels` weighted by `weight` (b,) and `other_labels` by the rest.

    Cross-entropy is linear in its target, so this equals the loss of the mixed label (Yun et al. 2019).
    """
    first = F.cross_entropy(logits, labels, reduction="none", label_smoothing=label_smoothing)
    second = F.cross_entropy(logits, other_labels, reduction="none", label_smoothing=label_smoothing)
    return (weight * first + (1 - weight) * second).mean()


def distillation(logits, labels, teacher_logits, temperature: float, alpha: float) -> torch.Tensor:
    """(1 - alpha) CE(label) + alpha temperature^2 KL(teacher || student) (Hinton, Vinyals & Dean 2015).

    The factor temperature^2 keeps the size of the gradient when the temperature changes. logits,
    teacher_logits: (b, K). alpha: in [0, 1].
    """
    student = F.log_softmax(logits / temperature, -1)
    teacher = F.log_softmax(teacher_logits / temperature, -1)
    divergence = F.kl_div(student, teacher, reduction="batchmean", log_target=True)
    return (1 - alpha) * F.cross_entropy(logits, labels) + alpha * temperature**2 * divergence
