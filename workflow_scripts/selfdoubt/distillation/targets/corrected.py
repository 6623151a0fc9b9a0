"""Targets without the teacher's errors."""


def transform(teacher_logits, batch, settings, seed: int):
    """Swap the logits (b, K) of the label and of the predicted class, where these are two."""
    label, top = batch.labels[:, None], teacher_logits.argmax(1, keepdim=True)
    swapped = teacher_logits.scatter(1, label, teacher_logits.gather(1, top))
    return swapped.scatter(1, top, teacher_logits.gather(1, label))
