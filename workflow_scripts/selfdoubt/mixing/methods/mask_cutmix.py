"""Mask-CutMix: the source's object is pasted where it hides least of the target's."""

import numpy as np
import torch

from selfdoubt.mixing import objects


def draw_lambda(generator, n: int, settings):
    """Return ones (n,): nothing is drawn, since the objects decide."""
    return np.ones(n)


def mix(target, source, drawn, settings):
    """Paste the source's object where it hides least; the label follows what remains visible of each object.

    Takes, of the K candidate translations, the one that loses the least of both objects: the fraction of the
    target's object that is hidden plus the fraction of the source's that falls outside. The weight is
    `objects.object_weight`, or with the labels `pixel-area` the fraction of pixels that are the target's. Arguments and
    results as of `oa_cutmix`.
    """
    areas, hidden, pasted, chosen = objects.place(target, source, drawn)
    moved = objects.translate(source, chosen)  # (b, C + 1, H, W)
    if settings.labels == "pixel-area":
        weight = 1 - pasted / (target.shape[2] * target.shape[3])
    else:
        weight = objects.object_weight(areas, hidden, pasted, pasted > 0, settings.labels)
    return torch.where(moved[:, -1:] > 0, moved[:, :-1], target[:, :-1]), weight
