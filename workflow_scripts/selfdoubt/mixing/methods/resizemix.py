"""ResizeMix: the whole source, made smaller, is pasted into the target (Qin et al. 2020)."""

import torch

from selfdoubt.mixing import boxes


def draw_lambda(generator, n: int, settings):
    """Draw the fraction of the area that stays the target's, (n,)."""
    return 1 - generator.uniform(settings.min_scale, settings.max_scale, n) ** 2


def mix(target, source, drawn, settings):
    """Paste the whole source, made smaller; the label follows the area.

    Its sides are `scale` of the image's, rounded to pixels, and it lies anywhere inside. Resized bilinearly and
    antialiased. Arguments and results as of `cutmix`, of uint8.
    """
    size = target.shape[2:]
    sides = [((1 - drawn.kept).sqrt() * length).round().long().clamp_min(1) for length in size]
    box = boxes.within(sides, drawn.corner, size)
    rows, columns = (_resizing(box[2 * i], sides[i], size[i])[:, None] for i in (0, 1))
    resized = (rows @ source.float() @ columns.mT).round().clamp(0, 255).to(source.dtype)
    inside = boxes.inside(box, size)
    return torch.where(inside[:, None], resized, target), 1 - inside.float().mean((1, 2))


def _resizing(start: torch.Tensor, length: torch.Tensor, size: int) -> torch.Tensor:
    """Return (b, size, size): the weights of `size` pixels in each of `length` (b,) pixels that begin at `start` (b,).

    Triangles as in Pillow's and torch's antialiased bilinear; rows outside of the resized image are not used.
    """
    pixels = torch.arange(size, device=start.device)
    scale = (size / length)[:, None]
    centre = (pixels - start[:, None] + 0.5) * scale - 0.5  # (b, size)
    weights = (1 - (pixels - centre[..., None]).abs() / scale[..., None]).clamp_min(0)
    return weights / weights.sum(2, keepdim=True).clamp_min(1e-6)
