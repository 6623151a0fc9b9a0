"""Logit matching: the squared difference of logits (Ba & Caruana, NeurIPS 2014), each centred over the classes.

Ba & Caruana compare logits as they are. A constant of an image changes no probability, and the logarithm of several
teachers' mean probability has another than a single teacher's logits: so both sides are centred.
"""

from torch.nn import functional as F


def loss(logits, labels, teacher_logits, settings):
    """Return (1 - alpha) CE(label) + alpha / 2 of the mean over classes of (z - t)^2, z and t centred.

    Half of the mean is what temperature^2 KL(teacher || student) tends to as the temperature rises (Hinton, Vinyals &
    Dean 2015), so that alpha means the same as in `kd`.
    """
    student, teacher = (each - each.mean(-1, keepdim=True) for each in (logits, teacher_logits))
    matched = F.mse_loss(student, teacher) / 2
    return (1 - settings.alpha) * F.cross_entropy(logits, labels) + settings.alpha * matched
