"""Mixed images: two views become one, with two labels, as batched tensor code.

All that is random about an epoch's mixing is drawn at once, for each image by its position in the data set, as its
views are. A mixer takes views of the targets and of their sources, and says what weight the target's label keeps; the
source's has the rest. Where it needs object masks, they are the last channel of both.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch

from selfdoubt.mixing import bit_masks
from selfdoubt.mixing.saliency import saliency
from selfdoubt.runtime import randomness


@dataclass(frozen=True)
class Mixing:
    """How each of n images is mixed in one epoch; each mixer uses what it needs."""

    mixed: torch.Tensor  # (n,) bool: whether it is mixed at all
    partner: torch.Tensor  # (n,) the position of the source image
    share: torch.Tensor  # (n,) float64: the target's share, before a box is rounded to pixels and cut off at the border
    centre: torch.Tensor  # (n, 2) row and column of a box's centre, px
    corner: torch.Tensor  # (n, 2) float64 in [0, 1): where a box that lies inside begins, of the room that there is
    placements: torch.Tensor  # (n, K, 2) candidate translations of the source's object, px

    def at(self, index: torch.Tensor) -> "Mixing":
        """Return that of the images at `index` (b,)."""
        return Mixing(*(drawn[index] for drawn in vars(self).values()))


def draw_mixing(seed: int, epoch: int, shape: tuple[int, int, int], mixing) -> Mixing:
    """Draw one epoch's mixing of (n, H, W) images; `mixing` are the settings of an augmented model."""
    n, height, width = shape
    mixed = randomness.generator(seed, "mixed", epoch).random(n) < mixing.probability
    partner = randomness.generator(seed, "partner", epoch).integers(0, n, n)
    generator = randomness.generator(seed, "box", epoch)
    share = _draw_share(generator, n, mixing)
    centre = np.stack([generator.integers(0, length, n) for length in (height, width)], 1)
    corner = randomness.generator(seed, "corner", epoch).random((n, 2))
    n_placements = getattr(mixing, "n_placements", 1)
    reach = np.array([height // 2, width // 2])
    placements = randomness.generator(seed, "placement", epoch).integers(-reach, reach + 1, (n, n_placements, 2))
    return Mixing(*map(torch.from_numpy, (mixed, partner, share, centre, corner, placements)))


def _draw_share(generator: np.random.Generator, n: int, mixing) -> np.ndarray:
    """Draw lambda, as it is in the source of each method; 1 where a method has none."""
    match mixing.method:
        case "mixup":
            return generator.beta(mixing.alpha, mixing.alpha, n)
        case "resizemix":
            return 1 - generator.uniform(mixing.min_scale, mixing.max_scale, n) ** 2
        case "cutmix" | "oa-cutmix" | "saliency-mix":
            return generator.beta(mixing.beta, mixing.beta, n)
        case _:
            return np.ones(n)


# ---- without masks ----


def mixup(target, source, drawn: Mixing, _settings):
    """lambda target + (1 - lambda) source, with lambda the target's weight (Zhang et al. 2018).

    target, source: uint8 (b, C, H, W). Returns the mixed images, float32 of the same range, and the weight (b,).
    """
    share = drawn.share.float()
    return torch.lerp(source.float(), target.float(), share[:, None, None, None]), share


def cutmix(target, source, drawn: Mixing, _settings):
    """Paste the source's box (Yun et al. 2019); the target's label keeps the share of pixels that it keeps.

    target, source: (b, C, H, W). Returns the mixed images and the weight (b,) of the target's label.
    """
    inside = _inside(_around(drawn.centre, drawn.share, target.shape[2:]), target.shape[2:])
    return torch.where(inside[:, None], source, target), 1 - inside.float().mean((1, 2))


def saliency_mix(target, source, drawn: Mixing, settings):
    """CutMix, its box around the source's most salient pixel (Uddin et al. 2021), the saliency being `saliency`'s.

    The box is pasted where it was cut out, and cut off at the border. Arguments and results as of `cutmix`.
    """
    return cutmix(target, source, around_salient(source, drawn), settings)


def around_salient(source, drawn: Mixing) -> Mixing:
    """Return the draws with boxes around the most salient pixel of each source (b, C, H, W)."""
    most = saliency(source).flatten(1).argmax(1)
    centre = torch.stack([most.div(source.shape[3], rounding_mode="floor"), most % source.shape[3]], 1)
    return replace(drawn, centre=centre)


def resizemix(target, source, drawn: Mixing, _settings):
    """Paste the whole source, made smaller (Qin et al. 2020); the label follows the area.

    Its sides are `scale` of the image's, rounded to pixels, and it lies anywhere inside. Resized bilinearly, with a
    filter as wide as the scale demands, so that nothing is skipped. Arguments and results as of `cutmix`, of uint8.
    """
    size = target.shape[2:]
    sides = [((1 - drawn.share).sqrt() * length).round().long().clamp_min(1) for length in size]
    box = _within(sides, drawn.corner, size)
    rows, columns = (_resizing(box[2 * i], sides[i], size[i])[:, None] for i in (0, 1))
    resized = (rows @ source.float() @ columns.mT).round().clamp(0, 255).to(source.dtype)
    inside = _inside(box, size)
    return torch.where(inside[:, None], resized, target), 1 - inside.float().mean((1, 2))


def _resizing(start: torch.Tensor, length: torch.Tensor, size: int) -> torch.Tensor:
    """Return (b, size, size): weights of `size` pixels in each of `length` (b,), which begin at `start` (b,).

    Triangles as in Pillow's and torch's antialiased bilinear; a row outside of them means nothing.
    """
    pixels = torch.arange(size, device=start.device)
    scale = (size / length)[:, None]
    centre = (pixels - start[:, None] + 0.5) * scale - 0.5  # (b, size)
    weights = (1 - (pixels - centre[..., None]).abs() / scale[..., None]).clamp_min(0)
    return weights / weights.sum(2, keepdim=True).clamp_min(1e-6)


# ---- boxes ----


def _around(centre: torch.Tensor, share: torch.Tensor, size) -> tuple[torch.Tensor, ...]:
    """Return top, bottom, left, right (b,) of CutMix's box, which leaves `share` (b,) if it is not cut off."""
    side, ends = (1 - share).sqrt(), []
    for i, length in enumerate(size):
        half = (side * length).long() // 2
        ends += [(centre[:, i] - half).clamp(0, length), (centre[:, i] + half).clamp(0, length)]
    return tuple(ends)


def _within(sides, corner: torch.Tensor, size) -> tuple[torch.Tensor, ...]:
    """Return top, bottom, left, right (b,) of a box of two `sides` (b,) that lies inside, at any place alike."""
    starts = [(corner[:, i] * (size[i] - sides[i] + 1)).long() for i in (0, 1)]
    return starts[0], starts[0] + sides[0], starts[1], starts[1] + sides[1]


def _inside(box: tuple[torch.Tensor, ...], size) -> torch.Tensor:
    """Return bool (b, H, W), True in the box."""
    top, bottom, left, right = (end[:, None] for end in box)
    rows, columns = (torch.arange(length, device=top.device) for length in size)
    return ((rows >= top) & (rows < bottom))[:, :, None] & ((columns >= left) & (columns < right))[:, None, :]


# ---- with masks ----


def oa_cutmix(target, source, drawn: Mixing, settings):
    """CutMix's box, and labels by the visible objects (Nauen et al. 2026).

    target, source: (b, C + 1, H, W), the last channel the object mask (> 0). Returns the mixed images (b, C, H, W) and
    the weight (b,) of the target's label: `_object_weight`.
    """
    inside = _inside(_around(drawn.centre, drawn.share, target.shape[2:]), target.shape[2:])
    masks = target[:, -1] > 0, source[:, -1] > 0
    areas = [mask.sum((1, 2)) for mask in masks]
    hidden, pasted = ((mask & inside).sum((1, 2)) for mask in masks)
    weight = _object_weight(areas, hidden, pasted, inside.any(2).any(1), settings.labels)
    return torch.where(inside[:, None], source[:, :-1], target[:, :-1]), weight


def mask_cutmix(target, source, drawn: Mixing, settings):
    """Paste the source's object where it hides least; the label follows what remains visible of each object.

    Of the K candidate translations that one is taken which loses the least of both objects: share of the target's
    object that is hidden plus share of the source's that falls outside. The weight is `_object_weight`, or with the
    labels `pixel-area` the share of pixels that are the target's. Arguments and results as of `oa_cutmix`.
    """
    areas, hidden, pasted, chosen = _place(target, source, drawn)
    moved = _translate(source, chosen)  # (b, C + 1, H, W)
    if settings.labels == "pixel-area":
        weight = 1 - pasted / (target.shape[2] * target.shape[3])
    else:
        weight = _object_weight(areas, hidden, pasted, pasted > 0, settings.labels)
    return torch.where(moved[:, -1:] > 0, moved[:, :-1], target[:, :-1]), weight


def cutmix_matched(target, source, drawn: Mixing, settings):
    """CutMix with the weights of mask-cutmix, and boxes whose area is what those weights say.

    A control: pairs and weights are mask-cutmix's, image by image, so that a difference between the two is none of how
    much of the label moves. The box lies inside, at any place alike; it is of the image's shape, rounded to pixels, by
    which its area misses the weight's by half its height in pixels at most. Arguments and results as of `oa_cutmix`.
    """
    areas, hidden, pasted, _ = _place(target, source, drawn)
    weight = _object_weight(areas, hidden, pasted, pasted > 0, settings.labels)
    share, size = 1 - weight, target.shape[2:]
    height, width = size
    rows = (share.sqrt() * height).round().long().clamp_min(1)
    columns = (share * height * width / rows).round().long().clamp_max(width)
    inside = _inside(_within((rows, columns), drawn.corner, size), size)
    return torch.where(inside[:, None], source[:, :-1], target[:, :-1]), weight


def _object_weight(areas, hidden, pasted, changed, labels: str) -> torch.Tensor:
    """Return the weight (b,) of the target's label by the objects' visible areas.

    (F_a - F_a^in) / (F_a - F_a^in + F_b^in), F being areas and ^in what lies in the pasted region; with the labels
    `relative-object-area` each is divided by the whole object's, F_a or F_b. Where neither object is visible it is 1/2;
    or 1, if nothing was pasted and the image is the target's alone.

    areas: F_a and F_b. hidden: F_a^in. pasted: F_b^in. changed: bool, whether a pixel was pasted. All (b,).
    """
    seen_a, seen_b = areas[0] - hidden, pasted
    if labels == "relative-object-area":
        seen_a, seen_b = seen_a / areas[0].clamp_min(1), seen_b / areas[1].clamp_min(1)
    weight = seen_a / (seen_a + seen_b)  # 0 / 0 where neither is visible
    return torch.where(weight.isnan(), torch.where(changed, 0.5, 1.0), weight)


def _place(target, source, drawn: Mixing):
    """Return the objects' areas, how much is hidden and pasted (b,), and the translation (b, 2) that loses least."""
    bits = [bit_masks.pack(images[:, -1] > 0) for images in (target, source)]
    areas = [bit_masks.n_bits(words).sum((1, 2)) for words in bits]
    placed = bit_masks.translate(bits[1], drawn.placements, source.shape[3])
    both = placed & bits[0][:, None]
    hidden, pasted = (bit_masks.n_bits(words).sum((2, 3)) for words in (both, placed))  # each (b, K)
    loss = hidden / areas[0].clamp_min(1)[:, None] + 1 - pasted / areas[1].clamp_min(1)[:, None]
    best = loss.argmin(1, keepdim=True)  # (b, 1)
    chosen = drawn.placements.gather(1, best[..., None].expand(-1, -1, 2))[:, 0]
    return areas, hidden.gather(1, best)[:, 0], pasted.gather(1, best)[:, 0], chosen


def _translate(images: torch.Tensor, shifts: torch.Tensor) -> torch.Tensor:
    """Shift (b, C, H, W) by (b, 2) pixels, of at most a side, zeros moving in."""
    height, width = images.shape[2:]
    padded = torch.nn.functional.pad(images, [width, width, height, height])
    windows = padded.unfold(2, height, 1).unfold(3, width, 1).movedim(1, 3)  # (b, 2 H + 1, 2 W + 1, C, H, W), a view
    each = torch.arange(len(images), device=images.device)
    return windows[each, height - shifts[:, 0], width - shifts[:, 1]]


MIXERS = {
    "mixup": mixup,
    "cutmix": cutmix,
    "resizemix": resizemix,
    "saliency-mix": saliency_mix,
    "oa-cutmix": oa_cutmix,
    "mask-cutmix": mask_cutmix,
    "cutmix-matched": cutmix_matched,
}
