"""Objects of mixed images: their visible areas, and where the source's object is placed."""

import torch

from selfdoubt.data import joined_channels
from selfdoubt.mixing import bit_masks


def object_weight(areas, hidden, pasted, changed, labels: str) -> torch.Tensor:
    """Return the weight (b,) of the target's label by the objects' visible areas, or (b, 2) as `draws` has it.

    (F_a - F_a^in) / (F_a - F_a^in + F_b^in), F being areas and ^in what lies in the pasted region; with the labels
    `relative-object-area` each is divided by the whole object's, F_a or F_b. Where neither object is visible it is 1/2;
    or 1, if nothing was pasted and the image is the target's alone.
    With the labels `visible-fraction` the second column is w (F_a - F_a^in) / F_a + (1 - w) F_b^in / F_b, w being the
    first, by absolute areas: how much of the objects that the label names is seen. Of an image alone it is 1.

    areas: F_a and F_b. hidden: F_a^in. pasted: F_b^in. changed: bool, whether a pixel was pasted. All (b,).
    """
    visible_a, visible_b = areas[0] - hidden, pasted
    relative = visible_a / areas[0].clamp_min(1), visible_b / areas[1].clamp_min(1)
    if labels == "relative-object-area":
        visible_a, visible_b = relative
    weight = visible_a / (visible_a + visible_b)  # 0 / 0 where neither is visible
    weight = torch.where(weight.isnan(), torch.where(changed, 0.5, 1.0), weight)
    if labels != "visible-fraction":
        return weight
    seen = torch.where(changed, weight * relative[0] + (1 - weight) * relative[1], 1.0)
    return torch.stack([weight, seen], 1)


def place(target, source, drawn):
    """Return the objects' areas, the hidden and the pasted area (b,), and the translation (b, 2) that loses least.

    Lost are the fraction of the target's object that is hidden and that of the source's object that falls outside.
    target, source: (b, C + 1, H, W), the last channel the mask.
    """
    bits = [bit_masks.pack(images[:, -1] > 0) for images in (target, source)]
    areas = bit_masks.areas(*bits)
    placed = bit_masks.translate(bits[1], drawn.placements, source.shape[3])
    hidden, pasted = bit_masks.areas(placed & bits[0][:, None], placed)  # each (b, K)
    loss = hidden / areas[0].clamp_min(1)[:, None] + 1 - pasted / areas[1].clamp_min(1)[:, None]
    best = loss.argmin(1, keepdim=True)  # (b, 1)
    chosen = drawn.placements.gather(1, best[..., None].expand(-1, -1, 2))[:, 0]
    return areas, hidden.gather(1, best)[:, 0], pasted.gather(1, best)[:, 0], chosen


def translate(images: torch.Tensor, shifts: torch.Tensor) -> torch.Tensor:
    """Shift (b, C, H, W) by (b, 2) pixels, of at most half a side, zeros moving in; channels last in memory."""
    height, width = images.shape[2:]
    pixels = joined_channels.join(images.permute(0, 2, 3, 1).contiguous())
    down, right = height // 2, width // 2
    padded = torch.nn.functional.pad(pixels, [0, 0, right, right, down, down])
    windows = padded.unfold(1, height, 1).unfold(2, width, 1).movedim(3, 5)  # (b, rows, columns, H, W, *), a view
    each = torch.arange(len(images), device=images.device)
    moved = windows[each, down - shifts[:, 0], right - shifts[:, 1]]
    return joined_channels.split(moved, images.dtype).permute(0, 3, 1, 2)
