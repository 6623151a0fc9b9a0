"""Decoupled knowledge distillation (Zhao et al. 2022).

The authors raise the two terms from 0 during the first epochs; here they are whole from the start.
"""

from torch.nn import functional as F

from selfdoubt.distillation.divergence import decoupled, mean_parts

parts = mean_parts


def loss(logits, labels, teacher_logits, settings):
    """Return CE(label) + temperature^2 (alpha TCKD + beta NCKD)."""
    of_label, among_others = decoupled(logits, labels, teacher_logits, settings.temperature)
    return F.cross_entropy(logits, labels) + (settings.alpha * of_label + settings.beta * among_others).mean()
