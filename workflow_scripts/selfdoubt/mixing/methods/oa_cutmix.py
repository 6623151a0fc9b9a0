"""OA-CutMix: CutMix's box, labels by the visible objects (Nauen et al. 2026)."""

import torch

from selfdoubt.mixing import boxes, objects


def draw_lambda(generator, n: int, settings):
    """Draw lambda, (n,) in [0, 1]."""
    return generator.beta(settings.beta, settings.beta, n)


def mix(target, source, drawn, settings):
    """Paste CutMix's box, and weight labels by the visible objects.

    target, source: (b, C + 1, H, W), the last channel the object mask (> 0). Returns the mixed images (b, C, H, W) and
    the weight (b,) of the target's label: `objects.object_weight`.
    """
    inside = boxes.inside(boxes.around(drawn.centre, drawn.kept, target.shape[2:]), target.shape[2:])
    masks = target[:, -1] > 0, source[:, -1] > 0
    areas = [mask.sum((1, 2)) for mask in masks]
    hidden, pasted = ((mask & inside).sum((1, 2)) for mask in masks)
    weight = objects.object_weight(areas, hidden, pasted, inside.any(2).any(1), settings.labels)
    return torch.where(inside[:, None], source[:, :-1], target[:, :-1]), weight
