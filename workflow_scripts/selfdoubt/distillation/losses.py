"""What a student learns from a teacher's answers: each takes logits in float32 and returns the loss of the batch.

logits, teacher_logits: (b, K). labels: (b,). The settings of a method are its further arguments.
"""

import torch
from torch.nn import functional as F

from selfdoubt.training import losses


def dkd(logits, labels, teacher_logits, temperature: float, alpha: float, beta: float) -> torch.Tensor:
    """CE(label) + temperature^2 (alpha TCKD + beta NCKD), decoupled distillation (Zhao et al. 2022).

    With p softened by the temperature, TCKD is the divergence of (p_y, 1 - p_y), the label against the rest, and NCKD
    that of the other classes among themselves, p_k / (1 - p_y). KL(teacher || student) is TCKD + (1 - p_y) NCKD, with
    the teacher's p_y, so that NCKD counts least where the teacher is sure. The authors raise the two terms from 0
    during the first epochs; here they are whole from the start.
    """
    rest = other_classes(labels, logits.shape[1])
    student, teacher = logits.gather(1, rest), teacher_logits.gather(1, rest)
    among_others = losses.divergence(student, teacher, temperature)
    # The logit of "not the label" is that at which its softened probability is the sum of theirs.
    binary = [
        torch.cat([z.gather(1, labels[:, None]), temperature * (others / temperature).logsumexp(1, keepdim=True)], 1)
        for z, others in ((logits, student), (teacher_logits, teacher))
    ]
    of_label = losses.divergence(*binary, temperature)
    return F.cross_entropy(logits, labels) + (alpha * of_label + beta * among_others).mean()


def hard(logits, labels, teacher_logits, alpha: float) -> torch.Tensor:
    """(1 - alpha) CE(label) + alpha CE(the teacher's likeliest class): its answer without its doubt."""
    told = F.cross_entropy(logits, teacher_logits.argmax(1))
    return (1 - alpha) * F.cross_entropy(logits, labels) + alpha * told


def cwtm(logits, labels, teacher_logits) -> torch.Tensor:
    """CE(label) weighted by the teacher's largest probability over its sum in the batch (Furlanello et al. 2018).

    Confidence weighted by teacher max, of born-again networks: all that the teacher tells is how much an image counts.
    """
    weight = teacher_logits.softmax(-1).max(-1).values
    return (weight / weight.sum() * F.cross_entropy(logits, labels, reduction="none")).sum()


def ranked(
    logits, labels, teacher_logits, temperature: float, alpha: float, weight: float, margin: float
) -> torch.Tensor:
    """Distillation + weight x the mean over pairs of max(0, margin (c_i - c_j) - (k_i - k_j)) where c_i > c_j.

    k: the student's largest probability. c: the teacher's probability of the true label, which is large where an image
    is easy. The pairwise term is that of correctness ranking (Moon et al. 2020), with the teacher in the place of the
    share of epochs in which the image was classified rightly. Pairs: all of the batch.
    """
    confidence = logits.softmax(-1).max(-1).values
    ease = teacher_logits.softmax(-1).gather(1, labels[:, None])[:, 0]
    gap = ease[:, None] - ease  # (b, b)
    lacking = (margin * gap - (confidence[:, None] - confidence)).clamp_min(0)
    pairs = gap > 0
    disorder = (lacking * pairs).sum() / pairs.sum().clamp_min(1)
    return losses.distillation(logits, labels, teacher_logits, temperature, alpha) + weight * disorder


def adaptive_temperature(
    logits, labels, teacher_logits, temperature_unsure: float, temperature_sure: float, alpha: float
) -> torch.Tensor:
    """Distillation at a temperature of each image, in a line from `temperature_unsure` to `temperature_sure`.

    The line is that of the teacher's margin, its largest minus its second largest probability, from 0 to 1.
    """
    first, second = teacher_logits.softmax(-1).topk(2, 1).values.T
    temperature = temperature_unsure + (temperature_sure - temperature_unsure) * (first - second)
    return losses.distillation(logits, labels, teacher_logits, temperature[:, None], alpha)


def other_classes(chosen, n_classes: int) -> torch.Tensor:
    """Return the classes but for the chosen one (b,), rising: (b, n_classes - 1)."""
    classes = torch.arange(n_classes - 1, device=chosen.device)
    return classes + (classes >= chosen[:, None])


LOSSES = {
    "kd": losses.distillation,
    "dkd": dkd,
    "hard": hard,
    "cwtm": cwtm,
    "ranked": ranked,
    "adaptive-temperature": adaptive_temperature,
}
