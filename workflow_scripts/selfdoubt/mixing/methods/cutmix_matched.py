"""CutMix with the label weights of mask-cutmix: its control."""

import numpy as np
import torch

from selfdoubt.mixing import boxes, objects


def draw_lambda(generator, n: int, settings):
    """Return ones (n,): nothing is drawn, since the objects decide."""
    return np.ones(n)


def mix(target, source, drawn, settings):
    """Paste a box of the area 1 - weight, with the weight of mask-cutmix.

    A control: pairs and weights are mask-cutmix's, image by image, so that a difference between the two methods cannot
    come from how much of the label moves. The box lies inside, at a uniform place, and has the image's proportions; by
    the rounding to pixels its area differs by at most half its height in pixels. Arguments and results as of
    `oa_cutmix`.
    """
    areas, hidden, pasted, _ = objects.place(target, source, drawn)
    weight = objects.object_weight(areas, hidden, pasted, pasted > 0, settings.labels)
    pasted_fraction, size = 1 - weight, target.shape[2:]
    height, width = size
    rows = (pasted_fraction.sqrt() * height).round().long().clamp_min(1)
    columns = (pasted_fraction * height * width / rows).round().long().clamp_max(width)
    inside = boxes.inside(boxes.within((rows, columns), drawn.corner, size), size)
    return torch.where(inside[:, None], source[:, :-1], target[:, :-1]), weight
