"""Knowledge distillation (Hinton, Vinyals & Dean 2015)."""

from selfdoubt.distillation.divergence import mean_parts
from selfdoubt.training import losses

parts = mean_parts


def loss(logits, labels, teacher_logits, settings):
    """Return (1 - alpha) CE(label) + alpha temperature^2 KL(teacher || student)."""
    return losses.distillation(logits, labels, teacher_logits, settings.temperature, settings.alpha)
