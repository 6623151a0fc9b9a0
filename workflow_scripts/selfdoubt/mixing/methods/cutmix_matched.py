"""CutMix with the label weights of mask-cutmix: its control."""

import numpy as np
import torch

from selfdoubt.mixing import boxes, objects


def draw_share(generator, n: int, settings):
    """Return ones: nothing is drawn, the objects decide; (n,)."""
    return np.ones(n)


def mix(target, source, drawn, settings):
    """CutMix with the weights of mask-cutmix, and boxes whose area is what those weights say.

    A control: pairs and weights are mask-cutmix's, image by image, so that a difference between the two is none of how
    much of the label moves. The box lies inside, at any place alike; it is of the image's shape, rounded to pixels, by
    which its area misses the weight's by half its height in pixels at most. Arguments and results as of `oa_cutmix`.
    """
    areas, hidden, pasted, _ = objects.place(target, source, drawn)
    weight = objects.object_weight(areas, hidden, pasted, pasted > 0, settings.labels)
    share, size = 1 - weight, target.shape[2:]
    height, width = size
    rows = (share.sqrt() * height).round().long().clamp_min(1)
    columns = (share * height * width / rows).round().long().clamp_max(width)
    inside = boxes.inside(boxes.within((rows, columns), drawn.corner, size), size)
    return torch.where(inside[:, None], source[:, :-1], target[:, :-1]), weight
