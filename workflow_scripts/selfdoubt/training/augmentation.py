"""Views of the training images: translations and flips, as batched tensor code.

All that is random about an epoch is drawn at once (`draw_views`), for each image by its position in the
data set and not by its place in a batch. So a view can be made again without replaying the run, and
neither the batch size nor the order disturbs it. An object mask rides along as one more channel of its
image, so that the view of the mask is that of its image.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch

from selfdoubt.data import joined_channels
from selfdoubt.runtime import devices, randomness


class Moves(NamedTuple):
    """The views of a batch."""

    index: torch.Tensor  # (b,) the positions of its images
    top: torch.Tensor  # (b,) the first row of the view in the padded image
    left: torch.Tensor  # (b,) the first column
    mirrored: torch.Tensor  # (m,) the rows of the batch that are then mirrored


@dataclass(frozen=True)
class Views:
    """The views of n images in one epoch; all tensors are indexed by the image's position."""

    top: torch.Tensor  # (n,) the first row of the view in the padded image
    left: torch.Tensor  # (n,) the first column
    flipped: torch.Tensor  # (n,) bool: whether the view is then mirrored

    def at(self, index: torch.Tensor) -> Moves:
        """Return the views of the images at `index` (b,). On a GPU this waits: how many are mirrored must be known."""
        return Moves(index, self.top[index], self.left[index], self.flipped[index].nonzero()[:, 0])


def draw_order(seed: int, epoch: int, n: int) -> torch.Tensor:
    """Draw the order (n,) in which one epoch shows its images."""
    return torch.from_numpy(randomness.generator(seed, "order", epoch).permutation(n))


def draw_views(seed: int, epoch: int, n: int, shift_px: int, flip: bool) -> Views:
    """Draw one epoch's views of n images."""
    shifts = randomness.generator(seed, "shift", epoch).integers(0, 2 * shift_px + 1, (2, n))
    flipped = randomness.generator(seed, "flip", epoch).random(n) < (0.5 if flip else 0.0)
    return Views(*map(torch.from_numpy, (*shifts, flipped)))


def pad(images: torch.Tensor, pixels: int) -> torch.Tensor:
    """Pad uint8 (n, C, H, W) with black and return all its windows of H x W, without a copy of them.

    The result is (n, 2 pixels + 1, 2 pixels + 1, H, W, C), by top and left.
    """
    height, width = images.shape[2:]
    padded = torch.nn.functional.pad(images, [pixels] * 4).permute(0, 2, 3, 1).contiguous()
    return padded.unfold(1, height, 1).unfold(2, width, 1).movedim(3, 5)


def view(windows: torch.Tensor, moves: Moves) -> torch.Tensor:
    """Return the views of a batch: (b, C, H, W), of the dtype of the images, channels last in memory.

    windows: what `pad` returned.
    """
    seen = joined_channels.join(windows)[moves.index, moves.top, moves.left]
    seen[moves.mirrored] = seen[moves.mirrored].flip(2)
    return joined_channels.split(seen, windows.dtype).permute(0, 3, 1, 2)


def moved(lots: Sequence[tuple], device: torch.device) -> list[tuple]:
    """Return the tuples with their tensors on the device, copied all at once, so that no batch waits for its own."""
    if not lots:
        return []
    places = [(torch.cat(tensors), [len(each) for each in tensors]) for tensors in zip(*lots, strict=True)]
    found = zip(*(devices.sent(whole, device).split(sizes) for whole, sizes in places), strict=True)
    return [type(lot)(*own) if hasattr(lot, "_fields") else own for lot, own in zip(lots, found, strict=True)]
