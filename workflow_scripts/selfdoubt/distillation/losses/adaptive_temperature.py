"""Distillation at a temperature for each image, by the teacher's margin."""

from selfdoubt.training import losses


def loss(logits, labels, teacher_logits, settings):
    """Return distillation at temperatures linear in the margin, the teacher's largest minus second largest probability.

    The temperature is `temperature_at_margin_0` at margin 0, and `temperature_at_margin_1` at margin 1.
    """
    at_0, at_1 = settings.temperature_at_margin_0, settings.temperature_at_margin_1
    first, second = teacher_logits.softmax(-1).topk(2, 1).values.T
    temperature = at_0 + (at_1 - at_0) * (first - second)
    return losses.distillation(logits, labels, teacher_logits, temperature[:, None], settings.alpha)
