"""Objects painted over, and masks that are made wider, as whole batches."""

import torch
from torch.nn import functional as F


def dilate(masks: torch.Tensor, radius_px: int) -> torch.Tensor:
    """Return masks, bool (b, 1, H, W), extended by all pixels at most radius_px rows and columns away."""
    for axis in (2, 3):  # along rows, then columns: a pooling in two dimensions takes thirty times as long
        length, wider = masks.shape[axis], masks.clone()
        for distance in range(1, min(radius_px, length - 1) + 1):
            for start, other in ((0, distance), (distance, 0)):
                wider.narrow(axis, start, length - distance).logical_or_(masks.narrow(axis, other, length - distance))
        masks = wider
    return masks


def feather(masks: torch.Tensor, width_px: int) -> torch.Tensor:
    """Return float masks that fall from those, bool (b, 1, H, W), to 0 outside, in equal steps over width_px pixels."""
    wider = [masks]
    for _ in range(width_px):
        wider.append(dilate(wider[-1], 1))
    return torch.stack(wider).float().mean(0)


def paint_over(images: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """Fill what masks cover with the colours around it, taken from pixels outside the masks alone; the rest stays.

    Pull-push (Gortler et al. 1996): means of known pixels in blocks of 2, 4, 8, ... px; a hole takes the finest that is
    known, enlarged bilinearly. A whole image that is covered becomes 0.

    images: float (b, C, H, W). masks: bool (b, 1, H, W).
    """
    known = (~masks).to(images.dtype)
    levels = [tuple(map(_by_channel, (images * known, known)))]
    while max(levels[-1][0].shape[2:]) > 1:
        summed, weight = map(_summed, levels[-1])
        mean = torch.where(weight > 0, summed / weight.clamp_min(1), 0)
        levels.append((mean, (weight > 0).to(weight.dtype)))
    filled = levels.pop()[0]
    for values, known in reversed(levels):
        enlarged = F.interpolate(filled, values.shape[2:], mode="bilinear", align_corners=False)
        filled = torch.where(known > 0, values, enlarged)
    return filled


def _summed(values: torch.Tensor) -> torch.Tensor:
    """Return the sums of blocks of 2 x 2 px, (b, C, ceil(H / 2), ceil(W / 2)); pooling takes several times as long."""
    even = F.pad(values, [0, values.shape[3] % 2, 0, values.shape[2] % 2])
    rows = even[:, :, ::2], even[:, :, 1::2]
    return rows[0][..., ::2] + rows[0][..., 1::2] + rows[1][..., ::2] + rows[1][..., 1::2]


def _by_channel(values: torch.Tensor) -> torch.Tensor:
    """Lay values out channel by channel, also as torch sees it: it takes one channel for the last, and is then slow."""
    return values.contiguous().flatten(1).view(values.shape)
