"""What a model's batches are mixed by: its settings, and the masks of its training images."""

from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import torch

from selfdoubt.mixing import draws, masks
from selfdoubt.runtime import randomness


def of_job(job, train) -> "Mixer":
    """Return what a job mixes its training images by.

    job: its `settings`, with `mixing` and perhaps `masks`, its `replicate`, and `masks`, the path of a segmenter's, or
    none.
    """
    [path] = job.masks or [None]
    found = masks.masks_for_mixing(train, job.settings, path, randomness.seed_of(job))
    return Mixer(job.settings.mixing, found, masks.doubtful(path))


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
        return replace(drawn, mixed=drawn.mixed & ~(doubtful | doubtful[drawn.partner]))

    def mix(self, images: torch.Tensor, sources: torch.Tensor, drawn: draws.Mixing) -> tuple:
        """Return the images of a batch, float where they are blended, and what `draws` calls their weight.

        With the setting `also_clean` the mixed images follow the clean ones: (2 b, C, H, W).

        images: uint8 (b, C, H, W), with the mask as one more channel where there are masks, which is left out of the
        result. sources: of those that are mixed (`drawn.mixed`), in their order. drawn: the draws of the b images.
        """
        chosen = drawn.mixed.nonzero()[:, 0]
        mixed, kept = draws.mix(images[chosen], sources, drawn.at(chosen), self.settings)
        clean = images[:, : mixed.shape[1]].to(mixed.dtype)
        weight = torch.ones(len(images), *kept.shape[1:], device=images.device)
        weight[chosen] = kept.float()
        if getattr(self.settings, "also_clean", None) is None:
            clean[chosen] = mixed
            return clean, weight
        return torch.cat([clean, clean.index_put((chosen,), mixed)]), weight
