"""What training minimises, from labels; students' losses, which use the same parts, are in `distillation`.

Losses take logits (b, K) in float32 and return a scalar, the mean over the batch. An `Objective` is a loss of a batch.
"""

from collections.abc import Callable

import torch
from torch.nn import functional as F

from selfdoubt.training.batches import Batch

Objective = Callable[[torch.Tensor, Batch], torch.Tensor]  # (logits, batch) -> scalar, the mean over the batch


# ---- objectives ----


def from_labels(label_smoothing: float = 0.0, soft: bool = False) -> Objective:
    """Return the cross-entropy with the labels, mixed where the batch is; soft: with the labels of several people."""

    def objective(logits: torch.Tensor, batch: Batch) -> torch.Tensor:
        if soft:
            return F.cross_entropy(logits, batch.label_probabilities, label_smoothing=label_smoothing)
        if batch.weight is None:
            return F.cross_entropy(logits, batch.labels, label_smoothing=label_smoothing)
        return mixed_cross_entropy(logits, batch.labels, batch.other_labels, batch.weight, label_smoothing)

    return objective


def of_label_model(settings) -> Objective:
    """Return the objective of a teacher or a baseline.

    settings: `labels`, hard if left out; `label_smoothing`; `confidence_penalty`, the weight of the predictions'
    entropy, which is subtracted
    (Pereyra et al. 2017); `virtual_teacher`, the settings of that loss, which takes the place of the others, or None.
    """
    if settings.virtual_teacher:
        given = vars(settings.virtual_teacher)
        return lambda logits, batch: virtual_teacher(logits, batch.labels, **given)
    soft, weight = getattr(settings, "labels", "hard") == "soft", settings.confidence_penalty
    plain = from_labels(settings.label_smoothing, soft)
    if not weight:
        return plain
    return lambda logits, batch: plain(logits, batch) - weight * entropies(logits).mean()


# ---- losses ----


def mixed_cross_entropy(logits, labels, other_labels, weight, label_smoothing: float = 0.0) -> torch.Tensor:
    """Cross-entropy with the label `labels` weighted by `weight` (b,) and `other_labels` by the rest.

    Cross-entropy is linear in its target, so this equals the loss of the mixed label (Yun et al. 2019).
    """
    first = F.cross_entropy(logits, labels, reduction="none", label_smoothing=label_smoothing)
    second = F.cross_entropy(logits, other_labels, reduction="none", label_smoothing=label_smoothing)
    return (weight * first + (1 - weight) * second).mean()


def distillation(logits, labels, teacher_logits, temperature, alpha: float) -> torch.Tensor:
    """(1 - alpha) CE(label) + alpha temperature^2 KL(teacher || student) (Hinton, Vinyals & Dean 2015).

    logits, teacher_logits: (b, K). temperature: a number, or (b, 1). alpha: in [0, 1].
    """
    learned = divergence(logits, teacher_logits, temperature).mean()
    return (1 - alpha) * F.cross_entropy(logits, labels) + alpha * learned


def virtual_teacher(logits, labels, probability: float, temperature: float, alpha: float) -> torch.Tensor:
    """Distillation from a fixed distribution in a teacher's place, Tf-KD_reg (Yuan et al. 2020).

    The target has `probability` for the label and spreads the rest evenly over the other classes. At temperature 1 the
    loss is label smoothing, but for a constant.
    """
    other = (1 - probability) / (logits.shape[1] - 1)
    target = torch.full_like(logits, other).scatter_(1, labels[:, None], probability)
    return distillation(logits, labels, target.log(), temperature, alpha)


# ---- their parts ----


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
