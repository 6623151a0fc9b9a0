"""Losses, and what they are made of. A loss takes logits in float32 and returns a scalar, the mean over the batch."""

import torch
from torch.nn import functional as F


def mixed_cross_entropy(logits, labels, other_labels, weight, label_smoothing: float = 0.0) -> torch.Tensor:
    """Cross-entropy with the label `labels` weighted by `weight` (b,) and `other_labels` by the rest.

    Cross-entropy is linear in its target, so this equals the loss of the mixed label (Yun et al. 2019).
    """
    first = F.cross_entropy(logits, labels, reduction="none", label_smoothing=label_smoothing)
    second = F.cross_entropy(logits, other_labels, reduction="none", label_smoothing=label_smoothing)
    return (weight * first + (1 - weight) * second).mean()


def entropies(logits) -> torch.Tensor:
    """Entropy of each row of softmax(logits), (b,), in nats."""
    return torch.special.entr(logits.softmax(-1)).sum(-1)


def divergence(logits, teacher_logits, temperature) -> torch.Tensor:
    """temperature^2 KL(teacher || student) of each image, (b,), both softened by the temperature.

    The factor temperature^2 keeps the size of the gradient when the temperature changes. logits, teacher_logits:
    (b, K). temperature: a number, or (b, 1).
    """
    student = F.log_softmax(logits / temperature, -1)
    teacher = F.log_softmax(teacher_logits / temperature, -1)
    each = F.kl_div(student, teacher, reduction="none", log_target=True).sum(-1, keepdim=True)
    return (temperature**2 * each)[:, 0]


def distillation(logits, labels, teacher_logits, temperature, alpha: float) -> torch.Tensor:
    """(1 - alpha) CE(label) + alpha temperature^2 KL(teacher || student) (Hinton, Vinyals & Dean 2015).

    logits, teacher_logits: (b, K). temperature: a number, or (b, 1). alpha: in [0, 1].
    """
    learned = divergence(logits, teacher_logits, temperature).mean()
    return (1 - alpha) * F.cross_entropy(logits, labels) + alpha * learned


def virtual_teacher(logits, labels, probability: float, temperature: float, alpha: float) -> torch.Tensor:
    """Distillation from a teacher by hand, Tf-KD_reg (Yuan et al. 2020).

    It gives the label `probability` and every other class an even share of the rest. At temperature 1 this is label
    smoothing, but for a constant.
    """
    other = (1 - probability) / (logits.shape[1] - 1)
    told = torch.full_like(logits, other).scatter_(1, labels[:, None], probability)
    return distillation(logits, labels, told.log(), temperature, alpha)
