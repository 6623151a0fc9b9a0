"""Background swap: the target's object in front of the source's background, whose object is painted over."""

import numpy as np
import torch

from selfdoubt.mixing import painting
from selfdoubt.runtime import devices, randomness


def draw_lambda(generator, n: int, settings):
    """Return ones (n,): nothing is drawn, since the label stays whole."""
    return np.ones(n)


def mix(target, source, drawn, settings):
    """Put the target's object in front of the source's background; the weight is 1 everywhere.

    x' = M_a x_a + (1 - M_a) b, with M_a dilated by `dilate_px` and its edge then feathered over `feather_px`, and b
    the source with its object, dilated too, painted over. An image is left as it is where a mask is empty, since its
    object would be lost or the source's seen, and where the source's covers all of it.

    Arguments and results as of `oa_cutmix`.
    """
    images = [each[:, :-1] for each in (target, source)]
    masks = [painting.dilate(each[:, -1:] > 0, settings.dilate_px) for each in (target, source)]
    background = painting.paint_over(images[1].float(), masks[1])
    if settings.background == "noise":
        background = _scattered(background, drawn)
    seen = painting.feather(masks[0], settings.feather_px)
    mixed = torch.lerp(background, images[0].float(), seen).round().clamp(0, 255).to(target.dtype)
    of_target, of_source = (mask.sum((1, 2, 3)) for mask in masks)
    usable = (of_target > 0) & (of_source > 0) & (of_source < target.shape[2] * target.shape[3])
    return torch.where(usable[:, None, None, None], mixed, images[0]), torch.ones(len(target), device=target.device)


def _scattered(images: torch.Tensor, drawn) -> torch.Tensor:
    """Return images (b, C, H, W) with their pixels in another order, which the draws of each shift: its noise."""
    n = images.shape[2] * images.shape[3]
    order = devices.sent(torch.from_numpy(randomness.generator(0, "scattered").permutation(n)), images.device)
    first = (drawn.corner[:, :1] * n).long()
    index = order[(torch.arange(n, device=images.device) + first) % n]  # (b, n)
    return images.flatten(2).gather(2, index[:, None].expand(-1, images.shape[1], -1)).view_as(images)
