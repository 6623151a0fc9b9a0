"""Distillation with a ranking of confidences by the teacher (after correctness ranking: Moon et al. 2020).

Moon et al. rank images by the fraction of epochs in which they were classified correctly; here the teacher's
probability of the true label takes its place, and all pairs of the batch count.
"""

from selfdoubt.training import losses


def loss(logits, labels, teacher_logits, settings):
    """Return distillation + weight x the mean over pairs of max(0, margin (c_i - c_j) - (k_i - k_j)) where c_i > c_j.

    k: the student's largest probability. c: the teacher's probability of the true label, which is large where an image
    is easy.
    """
    confidence = logits.softmax(-1).max(-1).values
    ease = teacher_logits.softmax(-1).gather(1, labels[:, None])[:, 0]
    gap = ease[:, None] - ease  # (b, b)
    lacking = (settings.margin * gap - (confidence[:, None] - confidence)).clamp_min(0)
    pairs = gap > 0
    disorder = (lacking * pairs).sum() / pairs.sum().clamp_min(1)
    plain = losses.distillation(logits, labels, teacher_logits, settings.temperature, settings.alpha)
    return plain + settings.weight * disorder
