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


@dataclass(frozen=True)
class Views:
    """What happens to each of n images in one epoch; all arrays are indexed by the image's position."""

    order: torch.Tensor  # (n,) the order in which the images are shown
    rows: torch.Tensor  # (n, H) the rows of the padded image that are seen
    columns: torch.Tensor  # (n, W) the columns, right to left where flipped


@dataclass(frozen=True)
class Mixing:
    """How each of n images is mixed in one epoch."""

    mixed: torch.Tensor  # (n,) bool: whether it is mixed at all
    partner: torch.Tensor  # (n,) the position of the source image
    box: torch.Tensor  # (n, 4) top, bottom, left, right of the box, clipped to the image
    placements: torch.Tensor  # (n, K, 2) candidate translations of the source's object, px


def draw_views(seed: int, epoch: int, shape: tuple[int, int, int], shift_px: int, flip: bool) -> Views:
    """Draw one epoch's views of n images of H x W pixels; shape is (n, H, W)."""
    n, height, width = shape
    order = randomness.generator(seed, "order", epoch).permutation(n)
    shifts = randomness.generator(seed, "shift", epoch).integers(0, 2 * shift_px + 1, (2, n, 1))
    flipped = randomness.generator(seed, "flip", epoch).random((n, 1)) < (0.5 if flip else 0.0)
    columns = np.where(flipped, np.arange(width)[::-1], np.arange(width))
    return Views(*map(torch.from_numpy, (order, shifts[0] + np.arange(height), shifts[1] + columns)))


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
    """(n, C, H, W) uint8 -> (n, H + 2 pixels, W + 2 pixels, C), black around: what `see` reads from."""
    return torch.nn.functional.pad(images, [pixels] * 4).permute(0, 2, 3, 1).contiguous()


def see(padded: torch.Tensor, index: torch.Tensor, views: Views) -> torch.Tensor:
    """Return the views of the images at `index` (b,): uint8 (b, C, H, W), channels last in memory."""
    rows, columns = views.rows[index, :, None], views.columns[index, None, :]
    return padded[index[:, None, None], rows, columns].permute(0, 3, 1, 2)


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
    mask_a, mask_b = target[:, -1] > 0, source[:, -1] > 0
    area_a, area_b = mask_a.sum((1, 2)), mask_b.sum((1, 2))
    placed = _translate(mask_b[:, None], mixing.placements[index])  # (b, K, H, W)
    hidden, pasted = (placed & mask_a[:, None]).sum((2, 3)), placed.sum((2, 3))  # (b, K)
    loss = hidden / area_a.clamp_min(1)[:, None] + 1 - pasted / area_b.clamp_min(1)[:, None]
    best = loss.argmin(1, keepdim=True)  # (b, 1)
    chosen = mixing.placements[index].gather(1, best[..., None].expand(-1, -1, 2))  # (b, 1, 2)
    moved = _translate(source, chosen)  # (b, C + 1, H, W)
    visible = area_a - hidden.gather(1, best)[:, 0]
    weight = visible / (visible + moved[:, -1].bool().sum((1, 2)))
    weight = weight.nan_to_num(1.0)  # 0 / 0: the target has no object and nothing was pasted
    return torch.where(moved[:, -1:] > 0, moved[:, :-1], target[:, :-1]), weight


def _translate(images: torch.Tensor, shifts: torch.Tensor) -> torch.Tensor:
    """Shift (b, C, H, W) by (b, K, 2) pixels, zeros moving in; K and C broadcast to (b, max(C, K), H, W)."""
    height, width = images.shape[2:]
    rows = torch.arange(height, device=images.device) - shifts[..., :1]  # (b, K, H) the row that is read
    columns = torch.arange(width, device=images.device) - shifts[..., 1:]
    inside = ((rows >= 0) & (rows < height))[..., None] & ((columns >= 0) & (columns < width))[:, :, None]
    flat = (rows.clamp(0, height - 1) * width)[..., None] + columns.clamp(0, width - 1)[:, :, None]
    n_maps = max(images.shape[1], shifts.shape[1])
    shape = (len(images), n_maps, height * width)
    read = images.flatten(2).expand(shape).gather(2, flat.flatten(2).expand(shape))
    return read.view(len(images), n_maps, height, width) * inside


MIXERS = {"cutmix": cutmix, "mask-cutmix": mask_cutmix}
