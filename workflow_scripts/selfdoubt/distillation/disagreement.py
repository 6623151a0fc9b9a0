"""Distilled disagreement: a further output of the student learns how far its teachers disagree.

EnD2, after which this is made (Malinin, Mlodozeniec & Gales, ICLR 2020), learns the distribution of the members'
predictions, from which the mutual information follows; here that is learned itself, and the logits learn as they would
without. Loaded by name, for students that have it.
"""

import math

from torch.nn import functional as F

from selfdoubt.distillation.indices import partners


def loss(output, information, batch, settings, n_classes: int, seed: int):
    """Return weight x the mean binary cross-entropy of the sigmoid of the output with h / log K.

    output: (b,). information: (b,) h, the mutual information of the teachers, nats, in [0, log K]. settings: `weight`;
    `shuffled`, with which each image has the h of another of its label, so that it says nothing of the image. The loss
    is least at the expected h of what the features show, as that of squares is, and its gradient does not vanish where
    the sigmoid is close to 0 and h is not.
    """
    target = information / math.log(n_classes)
    if settings.shuffled:
        target = target[partners(batch, seed, "disagreement-partners")]
    return settings.weight * F.binary_cross_entropy_with_logits(output, target.clamp(0, 1))
