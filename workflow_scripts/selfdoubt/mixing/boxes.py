"""Boxes of mixed images, as whole batches."""

import torch


def around(centre: torch.Tensor, kept: torch.Tensor, size) -> tuple[torch.Tensor, ...]:
    """Return top, bottom, left, right (b,) of CutMix's box, clipped at the border.

    centre: (b, 2), px. kept: (b,) the fraction of the image outside of it, before clipping. size: height and width.
    """
    side, ends = (1 - kept).sqrt(), []
    for i, length in enumerate(size):
        half = (side * length).long() // 2
        ends += [(centre[:, i] - half).clamp(0, length), (centre[:, i] + half).clamp(0, length)]
    return tuple(ends)


def within(sides, corner: torch.Tensor, size) -> tuple[torch.Tensor, ...]:
    """Return top, bottom, left, right (b,) of a box of two `sides` (b,) that lies inside the image.

    corner: (b, 2) in [0, 1); uniform ones give every place equal probability. size: height and width.
    """
    starts = [(corner[:, i] * (size[i] - sides[i] + 1)).long() for i in (0, 1)]
    return starts[0], starts[0] + sides[0], starts[1], starts[1] + sides[1]


def inside(box: tuple[torch.Tensor, ...], size) -> torch.Tensor:
    """Return bool (b, H, W), True in the box."""
    top, bottom, left, right = (end[:, None] for end in box)
    rows, columns = (torch.arange(length, device=top.device) for length in size)
    return ((rows >= top) & (rows < bottom))[:, :, None] & ((columns >= left) & (columns < right))[:, None, :]
