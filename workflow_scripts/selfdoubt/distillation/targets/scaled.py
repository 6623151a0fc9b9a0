"""Targets of another confidence in the same classes."""


def transform(teacher_logits, batch, settings, seed: int):
    """Multiply the logits (b, K) by `factor`: more than 1 makes the teacher more confident, less than 1 less."""
    return settings.factor * teacher_logits
