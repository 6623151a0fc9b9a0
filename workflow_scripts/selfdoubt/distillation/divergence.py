"""The divergence of a student from its teacher in two parts (Zhao et al. 2022)."""

import torch

from selfdoubt.distillation.indices import other_classes
from selfdoubt.training import losses


def decoupled(logits, labels, teacher_logits, temperature: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Return temperature^2 TCKD and temperature^2 NCKD of each image, (b,) each.

    With p softened by the temperature, TCKD is the divergence of (p_y, 1 - p_y), the label against the rest, and NCKD
    that of the other classes among themselves, p_k / (1 - p_y). KL(teacher || student) is TCKD + (1 - p_y) NCKD, with
    the teacher's p_y, so that NCKD counts least where the teacher is most confident.
    """
    rest = other_classes(labels, logits.shape[1])
    student, teacher = logits.gather(1, rest), teacher_logits.gather(1, rest)
    among_others = losses.divergence(student, teacher, temperature)
    # The logit of "not the label" is that at which its softened probability is the sum of theirs.
    binary = [
        torch.cat([z.gather(1, labels[:, None]), temperature * (others / temperature).logsumexp(1, keepdim=True)], 1)
        for z, others in ((logits, student), (teacher_logits, teacher))
    ]
    return losses.divergence(*binary, temperature), among_others


def mean_parts(logits, labels, teacher_logits, settings) -> torch.Tensor:
    """Return the batch's mean TCKD and NCKD, (2,), at the temperature of a loss and without its square.

    Of a loss that minimises them: as its `parts`, for the history of a training.
    """
    parts = torch.stack(decoupled(logits, labels, teacher_logits, settings.temperature))
    return parts.mean(1) / settings.temperature**2
