"""Random resized crops (Szegedy et al., CVPR 2015) of images in memory, as batched tensor code.

All boxes of an epoch are drawn at once, for each image by its position in the data set, as views are in `augmentation`.
A box is enlarged to the size of the image, so nothing is reduced and no filter against aliasing is needed: bilinear
interpolation, whose values beside a box's edge are those of the image. An object mask rides along as one more channel.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

from selfdoubt.runtime import randomness

_TRIES = 10  # at a box that fits into the image, as in torchvision


class Cuts(NamedTuple):
    """The boxes of a batch, px, as those of `Boxes`."""

    index: torch.Tensor  # (b,) the positions of its images
    top: torch.Tensor
    left: torch.Tensor
    height: torch.Tensor
    width: torch.Tensor
    flipped: torch.Tensor


@dataclass(frozen=True)
class Boxes:
    """The boxes of n images in one epoch, px; all tensors are indexed by the image's position."""

    top: torch.Tensor  # (n,) int64
    left: torch.Tensor  # (n,) int64
    height: torch.Tensor  # (n,) int64
    width: torch.Tensor  # (n,) int64
    flipped: torch.Tensor  # (n,) bool: whether the view is then mirrored

    def at(self, index: torch.Tensor) -> Cuts:
        """Return the boxes of the images at `index` (b,)."""
        return Cuts(index, *(values[index] for values in vars(self).values()))


def draw_boxes(seed: int, epoch: int, shape: tuple[int, int, int], crop, flip: bool) -> Boxes:
    """Draw one epoch's boxes of n images; where no try fits, the image is shown whole.

    shape: (n, H, W). crop: settings with min_area (of the image's area) and max_aspect (width to height, or its
    inverse).
    """
    n, height, width = shape
    draws = randomness.generator(seed, "crop", epoch)
    area = draws.uniform(crop.min_area, 1, (_TRIES, n)) * height * width
    log_aspect = draws.uniform(-1, 1, (_TRIES, n)) * np.log(crop.max_aspect)
    w, h = (np.round(np.sqrt(area * np.exp(sign * log_aspect))).astype(np.int64) for sign in (1, -1))
    fits = (w > 0) & (w <= width) & (h > 0) & (h <= height)
    first, each = fits.argmax(0), np.arange(n)  # of the tries, the first that fits
    w, h = (np.where(fits.any(0), found[first, each], whole) for found, whole in ((w, width), (h, height)))
    top, left = (draws.random(n) * (whole - size + 1) for whole, size in ((height, h), (width, w)))
    flipped = randomness.generator(seed, "flip", epoch).random(n) < (0.5 if flip else 0.0)
    found = (top.astype(np.int64), left.astype(np.int64), h, w, flipped)
    return Boxes(*map(torch.from_numpy, found))


def crop(images: torch.Tensor, cuts: Cuts) -> torch.Tensor:
    """Return the boxes of a batch, enlarged to the images' size: uint8 (b, C, H, W), channels last.

    images: uint8 (n, C, H, W). Each view is computed by itself, whatever else is in the batch.
    """
    seen = images[cuts.index]
    height, width = seen.shape[2:]
    x = _places(cuts.left, cuts.width, width)
    y = _places(cuts.top, cuts.height, height)
    x = torch.where(cuts.flipped[:, None], x.flip(1), x)
    grid = torch.stack([x[:, None].expand(-1, height, -1), y[:, :, None].expand(-1, -1, width)], -1)
    found = torch.nn.functional.grid_sample(seen.float(), grid, padding_mode="border", align_corners=False)
    return found.round().to(torch.uint8).contiguous(memory_format=torch.channels_last)


def _places(start: torch.Tensor, size: torch.Tensor, whole: int) -> torch.Tensor:
    """Return where the centres of `whole` pixels of a view lie in the image, from -1 to 1 of its edges: (b, whole)."""
    centres = (torch.arange(whole, device=start.device) + 0.5) / whole
    return 2 * (start[:, None] + centres * size[:, None]) / whole - 1
