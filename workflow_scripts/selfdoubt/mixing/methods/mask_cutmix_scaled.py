"""Mask-CutMix with the source's object at the size at which the target's label keeps lambda."""

import torch

from selfdoubt.mixing import rescaling
from selfdoubt.mixing.methods import cutmix, mask_cutmix


def draw_lambda(generator, n: int, settings):
    """Draw lambda as CutMix does, (n,) in [0, 1]."""
    return cutmix.draw_lambda(generator, n, settings)


def mix(target, source, drawn, settings):
    """Paste the source's object as `mask_cutmix` does, of the area F_a (1 - lambda) / lambda before it is placed.

    So the target's weight by object areas is lambda, as CutMix draws it, wherever nothing is hidden and the object fits
    into the image. Labels follow what is visible, as in `mask_cutmix`. Objects keep their size where the target
    has none. Arguments and results as of `oa_cutmix`.
    """
    areas = [(images[:, -1] > 0).sum((1, 2)).double() for images in (target, source)]
    wanted = areas[0] * (1 - drawn.kept) / drawn.kept.clamp_min(1e-6)
    factor = (wanted.clamp_min(1) / areas[1].clamp_min(1)).sqrt()
    factor = torch.where(areas[0] == 0, 1, factor)
    return mask_cutmix.mix(target, rescaling.rescale(source, factor), drawn, settings)
