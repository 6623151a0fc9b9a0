"""Decoupled knowledge distillation (Zhao et al. 2022).

The authors raise the two terms from 0 during the first epochs; here they are whole from the start.
"""

import torch
from torch.nn import functional as F

from selfdoubt.distillation.indices import other_classes
from selfdoubt.training import losses


def loss(logits, labels, teacher_logits, settings):
    """Return CE(label) + temperature^2 (alpha TCKD + beta NCKD).

    With p softened by the temperature, TCKD is the divergence of (p_y, 1 - p_y), the label against the rest, and NCKD
    that of the other classes among themselves, p_k / (1 - p_y). KL(teacher || student) is TCKD + (1 - p_y) NCKD, with
    the teacher's p_y, so that NCKD counts least where the teacher is most confident.
    """
    temperature = settings.temperature
    rest = other_classes(labels, logits.shape[1])
    student, teacher = logits.gather(1, rest), teacher_logits.gather(1, rest)
    among_others = losses.divergence(student, teacher, temperature)
    # The logit of "not the label" is that at which its softened probability is the sum of theirs.
    binary = [
        torch.cat([z.gather(1, labels[:, None]), temperature * (others / temperature).logsumexp(1, keepdim=True)], 1)
        for z, others in ((logits, student), (teacher_logits, teacher))
    ]
    of_label = losses.divergence(*binary, temperature)
    return F.cross_entropy(logits, labels) + (settings.alpha * of_label + settings.beta * among_others).mean()
