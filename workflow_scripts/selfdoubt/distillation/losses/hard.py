"""Learning from the teacher's predicted class alone: distillation without soft targets."""

from torch.nn import functional as F


def loss(logits, labels, teacher_logits, settings):
    """Return (1 - alpha) CE(label) + alpha CE(the teacher's predicted class)."""
    of_teacher = F.cross_entropy(logits, teacher_logits.argmax(1))
    return (1 - settings.alpha) * F.cross_entropy(logits, labels) + settings.alpha * of_teacher
