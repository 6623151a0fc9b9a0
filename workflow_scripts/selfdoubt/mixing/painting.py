"""Objects painted over, and masks that are made wider, as whole batches."""

import torch
from torch.nn import functional as F


def dilate(masks: torch.Tensor, radius_px: int) -> torch.Tensor:
    """Return masks, float (b, 1, H, W), extended by all pixels at most radius_px rows and columns away."""
    return F.max_pool2d(masks, 2 * radius_px + 1, 1, radius_px) if radius_px else masks


def feather(masks: torch.Tensor, width_px: int) -> torch.Tensor:
    """Return masks, float (b, 1, H, W), that fall to 0 outside of their edge, in equal steps over width_px pixels."""
    wider = [masks]
    for _ in range(width_px):
        wider.append(dilate(wider[-1], 1))
    return torch.stack(wider).mean(0)


def paint_over(images: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """Fill what masks cover with the colours around it, taken from pixels outside the masks alone; the rest stays.

    Pull-push (Gortler et al. 1996): means of known pixels in blocks of 2, 4, 8, ... px; a hole takes the finest that is
    known, enlarged bilinearly. A whole image that is covered becomes 0.

    images: float (b, C, H, W). masks: float (b, 1, H, W), 1 where they cover.
    """
    known = 1 - masks
    levels = [(images * known, known)]
    while max(levels[-1][0].shape[2:]) > 1:
        summed, weight = (F.avg_pool2d(values, 2, ceil_mode=True) for values in levels[-1])
        mean = torch.where(weight > 0, summed / weight.clamp_min(1e-6), 0)
        levels.append((mean, (weight > 0).to(weight.dtype)))
    filled = levels.pop()[0]
    for values, known in reversed(levels):
        enlarged = F.interpolate(filled, values.shape[2:], mode="bilinear", align_corners=False)
        filled = torch.where(known > 0, values, enlarged)
    return filled
