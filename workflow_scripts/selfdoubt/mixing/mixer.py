"""What a model's batches are mixed by: its settings, and the masks of its training images."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import torch

from selfdoubt.mixing import draws, masks
from selfdoubt.runtime import methods, randomness


def of_job(job, train) -> "Mixer":
    """Return what a job mixes its training images by.

    job: its `settings`, with `mixing` and perhaps `masks`, its `replicate`, and `masks`, the path of a segmenter's, or
    none.
    """
    [path], seed = job.masks or [None], randomness.seed_of(job)
    found = masks.masks_for_mixing(train, job.settings, path, seed)
    doubtful = masks.doubtful(path, getattr(job.settings.mixing, "mask_control", "none"), seed)
    method = methods.load("mixing.methods", job.settings.mixing.method)
    if doubtful is not None and getattr(method, "MIXES_WITHOUT_MASKS", False):
        found, doubtful = found & ~doubtful[:, None, None], None
    return Mixer(job.settings.mixing, found, doubtful)


class Pairs(NamedTuple):
    """Which images of a batch are mixed, and with whose labels."""

    chosen: torch.Tensor  # (m,) the rows that are mixed
    other: torch.Tensor  # (b,) the positions of the images that have the other labels: of itself where it is not mixed


@dataclass(frozen=True)
class Mixer:
    """Mixes batches of training images by a method."""

    settings: SimpleNamespace  # config.yaml's `mixing`
    masks: np.ndarray | None = None  # bool (n, H, W) of all training images, where the method needs them
    doubtful: np.ndarray | None = None  # bool (n,): whose masks are not to be relied on; None: no image's

    def draw(self, seed: int, epoch: int, shape: tuple[int, int, int]) -> draws.Mixing:
        """Draw one epoch's mixing of (n, H, W) images; pairs of which a mask is doubtful are left unmixed."""
        drawn = draws.draw_mixing(seed, epoch, shape, self.settings)
        if self.doubtful is None:
            return drawn
        doubtful = torch.from_numpy(self.doubtful)
        return drawn._replace(mixed=drawn.mixed & ~(doubtful | doubtful[drawn.partner]))

    def pairs(self, drawn: draws.Mixing, index: torch.Tensor) -> tuple[Pairs, draws.Mixing]:
        """Return the pairs of a batch of the images at `index` (b,), and the draws of those that are mixed.

        On a GPU this waits, since it must be known how many are mixed: a stream does it for a whole epoch at once.
        """
        own = drawn.at(index)
        chosen = own.mixed.nonzero()[:, 0]
        return Pairs(chosen, torch.where(own.mixed, own.partner, index)), own.at(chosen)

    def mix(self, images: torch.Tensor, sources: torch.Tensor, chosen: torch.Tensor, drawn: draws.Mixing) -> tuple:
        """Return the images of a batch, float where they are blended, and what `draws` calls their weight.

        They are a list of the mixed images alone or, with the setting `also_clean`, of the clean and of the mixed ones.

        images: uint8 (b, C, H, W), with the mask as one more channel where there are masks, which is left out of the
        result. chosen: the rows (m,) that are mixed. sources, drawn: of these, in their order.
        """
        targets = images.permute(0, 2, 3, 1).index_select(0, chosen).permute(0, 3, 1, 2)  # whole images are copied
        mixed, kept = draws.mix(targets, sources, drawn, self.settings)
        clean = images[:, : mixed.shape[1]].to(mixed.dtype)
        weight = torch.ones(len(images), *kept.shape[1:], device=images.device)
        weight[chosen] = kept.float()
        if getattr(self.settings, "also_clean", None) is None:
            clean[chosen] = mixed
            return [clean], weight
        return [clean, clean.index_put((chosen,), mixed)], weight
