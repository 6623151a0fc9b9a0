"""Targets that do not show which images are difficult: each has the label's probability of another image's target.

It is the control of `ranked`, which orders images by that probability. Whole targets are not exchanged, since that
would exchange class similarities too; nor are entropies, which do not depend on whether the teacher is correct.
"""

from selfdoubt.distillation.indices import partners


def transform(teacher_logits, batch, settings, seed: int):
    """Give the label of each row of logits (b, K) the probability that it has for another image of the same label.

    The other classes keep their probabilities among themselves. So does each label its set of probabilities, within a
    batch.
    """
    partner, label = partners(batch, seed, "difficulty-partners"), batch.labels[:, None]
    log_p = teacher_logits.log_softmax(-1)
    of_label = log_p.gather(1, label)
    of_rest = log_p.scatter(1, label, -float("inf")).logsumexp(-1, keepdim=True)
    return (log_p - of_rest + of_rest[partner]).scatter(1, label, of_label[partner])
