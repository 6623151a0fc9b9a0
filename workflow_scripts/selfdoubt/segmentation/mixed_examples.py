"""A few pairs of training images and what a mixing makes of them, to be looked at."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import torch

from selfdoubt.data.datasets import Split
from selfdoubt.data.image_files import ImageFiles
from selfdoubt.runtime.errors import UserError
from selfdoubt.training.batches import InMemory


def examples(split: Split, mixer, settings, seed: int, n: int) -> dict[str, np.ndarray]:
    """Return the first n pairs of two classes of a training's first epoch, mixed, by name; there may be fewer.

    target, source, mixed: uint8 (n, C, H, W), of views as in training. labels: int64 (n, 2), of target and source.
    weight: float32 (n, 2), of the target among the two labels, and the fraction of the whole label that these have
    together. target_mask, source_mask: bool (n, H, W), those by which images are mixed; missing where none are used.

    Every pair is mixed, whatever the fraction is in training, so that methods show the same pairs; but for those of
    which a mask is doubtful, if the method leaves these unmixed. mixer: a `mixing.mixer.Mixer`. settings: the recipe's
    `shift_px`, `crop` and `flip`. seed: of views and mixing.
    Raises UserError if the images stay in files.
    """
    if isinstance(split.images, ImageFiles):
        raise UserError("mixed-examples: needs images in memory; set the data set's storage to arrays")
    changed = vars(mixer.settings) | {"probability": 1.0, "also_clean": None}
    mixer = replace(mixer, settings=SimpleNamespace(**changed))
    drawn = mixer.draw(seed, 0, (len(split.images), *split.images.shape[2:]))
    labels = torch.tensor(split.labels)
    index = (drawn.mixed & (labels != labels[drawn.partner])).nonzero()[:n, 0]
    own = drawn.at(index)
    target, source = _views(split.images, mixer.masks, settings, seed, [index, own.partner])
    [mixed], weight = mixer.mix(target.clone(), source, torch.arange(len(index)), own)  # which mixes in place
    weight = weight if weight.ndim > 1 else torch.stack([weight, torch.ones_like(weight)], 1)
    images = {"target": target, "source": source, "mixed": mixed.float().round().clamp(0, 255).to(torch.uint8)}
    channels = split.images.shape[1]
    found = {name: each[:, :channels] for name, each in images.items()}
    found |= {"labels": torch.stack([labels[index], labels[own.partner]], 1).long(), "weight": weight.float()}
    if mixer.masks is not None:
        found |= {"target_mask": target[:, channels] > 0, "source_mask": source[:, channels] > 0}
    return {name: each.numpy() for name, each in found.items()}


def _views(images: np.ndarray, masks: np.ndarray | None, settings, seed: int, asked: list) -> list[torch.Tensor]:
    """Return the views of the images at each index (b,), with their masks as one more channel where there are masks."""
    parts = [torch.tensor(np.asarray(images))]
    parts += [] if masks is None else [torch.from_numpy(masks).to(torch.uint8)[:, None]]
    memory = InMemory(torch.cat(parts, 1), settings)
    views = memory.draw(seed, 0)
    return [memory.view(views.at(index)) for index in asked]
