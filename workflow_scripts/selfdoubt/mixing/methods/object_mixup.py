"""Object mixup: two objects blended in front of the background of one of them."""

import torch

from selfdoubt.mixing import painting
from selfdoubt.mixing.methods import mixup

MIXES_WITHOUT_MASKS = True  # a pair of which a mask is doubtful is mixed as by mixup


def draw_lambda(generator, n: int, settings):
    """Draw lambda as mixup does, (n,) in [0, 1]."""
    return mixup.draw_lambda(generator, n, settings)


def mix(target, source, drawn, settings):
    """Blend the target with the source's object before the target's background; the weight is lambda.

    x' = lambda x_a + (1 - lambda) (M_b x_b + (1 - M_b) a), with a the target, its object painted over. Both masks are
    wider by `dilate_px`. Where either mask is empty, or the target's covers all of it, the whole source is blended, as
    by mixup.

    target, source: uint8 (b, C + 1, H, W), the last channel the object mask (> 0). Returns the mixed images, float32
    (b, C, H, W) of the same range, and the weight (b,).
    """
    own, other = (each[:, :-1].float() for each in (target, source))
    masks = [painting.dilate(each[:, -1:] > 0, settings.dilate_px) for each in (target, source)]
    moved = torch.where(masks[1], other, painting.paint_over(own, masks[0]))
    of_target, of_source = (mask.sum((1, 2, 3)) for mask in masks)
    usable = (of_target > 0) & (of_target < target.shape[2] * target.shape[3]) & (of_source > 0)
    return mixup.mix(own, torch.where(usable[:, None, None, None], moved, other), drawn, settings)
