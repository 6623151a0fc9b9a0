"""Views of the training images: translations, flips and mixing, as batched tensor code.

All that is random about an epoch is drawn at once (`draw_views`), for each image by its position in the
data set and not by its place in a batch. So a view can be made again without replaying the run, and
neither the batch size nor the order disturbs it. An object mask rides along as one more channel of its
image, so that both always see the same view.
"""

from dataclasses import dataclass

import numpy as np
import torch

from selfdoubt import randomness

_WORD = 32  # bits


@dataclass(frozen=True)
class Views:
    """What happens to each of n images in one epoch; all arrays are indexed by the image's position."""

    top: torch.Tensor  # (n,) the first row of the padded image that is seen
    left: torch.Tensor  # (n,) the first column
    flipped: torch.Tensor  # (n,) bool: whether it is then seen from right to left


@dataclass(frozen=True)
class Mixing:
    """How each of n images is mixed in one epoch."""

    mixed: torch.Tensor  # (n,) bool: whether it is mixed at all
    partner: torch.Tensor  # (n,) the position of the source image
    box: torch.Tensor  # (n, 4) top, bottom, left, right of the box, clipped to the image
    placements: torch.Tensor  # (n, K, 2) candidate translations of the source's object, px


def draw_order(seed: int, epoch: int, n: int) -> torch.Tensor:
    """Draw the order (n,) in which one epoch shows its images."""
    return torch.from_numpy(randomness.generator(seed, "order", epoch).permutation(n))


def draw_views(seed: int, epoch: int, n: int, shift_px: int, flip: bool) -> Views:
    """Draw one epoch's views of n images."""
    shifts = randomness.generator(seed, "shift", epoch).integers(0, 2 * shift_px + 1, (2, n))
    flipped = randomness.generator(seed, "flip", epoch).random(n) < (0.5 if flip else 0.0)
    return Views(*map(torch.from_numpy, (*shifts, flipped)))


def draw_mixing(seed: int, epoch: int, shape: tuple[int, int, int], mixing) -> Mixing:
    """Draw one epoch's mixing; `mixing` are the settings of an augmented model. The box follows Yun et al. 2019."""
    n, height, width = shape
    mixed = randomness.generator(seed, "mixed", epoch).random(n) < mixing.probability
    partner = randomness.generator(seed, "partner", epoch).integers(0, n, n)
    beta = getattr(mixing, "beta", 1.0)
    generator = randomness.generator(seed, "box", epoch)
    side = np.sqrt(1 - generator.beta(beta, beta, n))
    box = []
    for length in (height, width):
        centre, half = generator.integers(0, length, n), (side * length).astype(np.int64) // 2
        box += [np.clip(centre - half, 0, length), np.clip(centre + half, 0, length)]
    n_placements = getattr(mixing, "n_placements", 1)
    reach = np.array([height // 2, width // 2])
    placements = randomness.generator(seed, "placement", epoch).integers(-reach, reach + 1, (n, n_placements, 2))
    return Mixing(*map(torch.from_numpy, (mixed, partner, np.stack(box, 1), placements)))


def pad(images: torch.Tensor, pixels: int) -> torch.Tensor:
    """(n, C, H, W) uint8, black around -> all its windows of H x W, which share the memory of the padded images.

    The result is (n, 2 pixels + 1, 2 pixels + 1, H, W, C), by top and left.
    """
    height, width = images.shape[2:]
    padded = torch.nn.functional.pad(images, [pixels] * 4).permute(0, 2, 3, 1).contiguous()
    return padded.unfold(1, height, 1).unfold(2, width, 1).movedim(3, 5)


def see(windows: torch.Tensor, index: torch.Tensor, views: Views) -> torch.Tensor:
    """Return the views of the images at `index` (b,): uint8 (b, C, H, W), channels last in memory."""
    seen = windows[index, views.top[index], views.left[index]]
    flipped = views.flipped[index].nonzero()[:, 0]
    seen[flipped] = seen[flipped].flip(2)
    return seen.permute(0, 3, 1, 2)


def cutmix(target, source, mixing: Mixing, index):
    """Paste the source's box (Yun et al. 2019); the target's label keeps the share of pixels that it keeps.

    target, source: (b, C, H, W). Returns the mixed images and the weight (b,) of the target's label.
    """
    top, bottom, left, right = mixing.box[index].T[..., None]  # each (b, 1)
    rows, columns = (torch.arange(n, device=target.device) for n in target.shape[2:])
    inside = ((rows >= top) & (rows < bottom))[:, :, None] & ((columns >= left) & (columns < right))[:, None, :]
    weight = 1 - inside.float().mean((1, 2))
    return torch.where(inside[:, None], source, target), weight


def mask_cutmix(target, source, mixing: Mixing, index):
    """Paste the source's object where it hides least; the label follows what remains visible of each object.

    target, source: (b, C + 1, H, W), the last channel the object mask (> 0). Of the K candidate
    translations that one is taken which loses the least of both objects: share of the target's object that
    is hidden plus share of the source's that falls outside. Weight of the target's label, F being areas:
    (F_a - F_a^in) / (F_a - F_a^in + F_b^in); 1 where nothing is pasted.
    Returns the mixed images (b, C, H, W) and the weight (b,).
    """
    bits_a, bits_b = _pack(target[:, -1] > 0), _pack(source[:, -1] > 0)
    area_a, area_b = _n_bits(bits_a).sum((1, 2)), _n_bits(bits_b).sum((1, 2))
    placed = _translate_packed(bits_b, mixing.placements[index], source.shape[3])
    hidden, pasted = (_n_bits(bits).sum((2, 3)) for bits in (placed & bits_a[:, None], placed))  # each (b, K)
    loss = hidden / area_a.clamp_min(1)[:, None] + 1 - pasted / area_b.clamp_min(1)[:, None]
    best = loss.argmin(1, keepdim=True)  # (b, 1)
    chosen = mixing.placements[index].gather(1, best[..., None].expand(-1, -1, 2))[:, 0]  # (b, 2)
    moved = _translate(source, chosen)  # (b, C + 1, H, W)
    visible = area_a - hidden.gather(1, best)[:, 0]
    weight = visible / (visible + pasted.gather(1, best)[:, 0])
    weight = weight.nan_to_num(1.0)  # 0 / 0: the target has no object and nothing was pasted
    return torch.where(moved[:, -1:] > 0, moved[:, :-1], target[:, :-1]), weight


def _translate(images: torch.Tensor, shifts: torch.Tensor) -> torch.Tensor:
    """Shift (b, C, H, W) by (b, 2) pixels, of at most a side, zeros moving in."""
    height, width = images.shape[2:]
    padded = torch.nn.functional.pad(images, [width, width, height, height])
    windows = padded.unfold(2, height, 1).unfold(3, width, 1).movedim(1, 3)  # (b, 2 H + 1, 2 W + 1, C, H, W), a view
    each = torch.arange(len(images), device=images.device)
    return windows[each, height - shifts[:, 0], width - shifts[:, 1]]


# Areas of many translations are counted on rows of bits, a thirtieth of the work that pixels are.


def _pack(masks: torch.Tensor) -> torch.Tensor:
    """bool (b, H, W) -> int64 (b, H, words), column x in bit x % 32 of word x // 32."""
    words = torch.nn.functional.pad(masks, [0, -masks.shape[2] % _WORD]).unflatten(2, (-1, _WORD))
    return (words.double() @ 2.0 ** torch.arange(_WORD, device=masks.device).double()).long()  # exact up to 2^53


def _translate_packed(words: torch.Tensor, shifts: torch.Tensor, width: int) -> torch.Tensor:
    """Shift what `_pack` returned by (b, K, 2) pixels, zeros moving in; return (b, K, H, words)."""
    n, height, n_words = words.shape
    device, each = words.device, torch.arange(n, device=words.device)[:, None, None, None]
    rows = torch.arange(height, device=device) - shifts[..., :1]  # (b, K, H)
    inside = ((rows >= 0) & (rows < height))[..., None]
    rows = rows.clamp(0, height - 1)[..., None]
    bits = shifts[..., 1, None, None]  # (b, K, 1, 1)
    padded = torch.nn.functional.pad(words, [n_words + 2, n_words + 2])
    columns = torch.arange(n_words, device=device) + n_words + 2 - bits.div(_WORD, rounding_mode="floor")
    rest = bits.remainder(_WORD)
    moved = (padded[each, rows, columns] << rest) | (padded[each, rows, columns - 1] >> (_WORD - rest))
    whole = _pack(torch.ones(1, 1, width, dtype=torch.bool, device=device))  # bits beyond the edge are dropped
    return moved * inside & whole


def _n_bits(words: torch.Tensor) -> torch.Tensor:
    """Return how many of the lower 32 bits are set: sums of 2, 4 and 8 bits, side by side."""
    words = words - (words >> 1 & 0x55555555)
    words = (words & 0x33333333) + (words >> 2 & 0x33333333)
    return ((words + (words >> 4) & 0x0F0F0F0F) * 0x01010101 >> 24) & 0xFF


MIXERS = {"cutmix": cutmix, "mask-cutmix": mask_cutmix}
