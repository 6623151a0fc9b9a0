"""How far the labels of mixed images are from the visible fractions of their objects, where true masks are known.

An epoch's images are mixed as in training, with two more channels: the masks of the target's and of the source's
object. After mixing, these show what is visible of each object.
"""

import numpy as np
import torch

from selfdoubt.data.datasets import Split
from selfdoubt.data.image_files import ImageFiles
from selfdoubt.mixing import draws
from selfdoubt.runtime.errors import UserError
from selfdoubt.training.batches import InMemory

_BATCH = 500


def measure(split: Split, truth: np.ndarray | None, mixer, settings, seed: int) -> list[dict]:
    """Return rows of MIXED_LABELS, of the mixed images of a training's first epoch.

    weight-mean, weight-sd: of the weight of the target's label. label-error: mean |weight - fraction of the visible
    object pixels that are the target's|, over images with any. ghost-labels: fraction of images in which a label has
    weight though no pixel of its object is visible. nothing-visible: fraction of images without visible object pixels.

    truth: the true masks, bool (n, H, W), or None if they are not known; statistics that need them then have value null
    and a reason. mixer: a `mixing.mixer.Mixer`. settings: the recipe's `shift_px`, `crop` and `flip`. seed: of views
    and mixing.
    Raises UserError if the images stay in files.
    """
    if isinstance(split.images, ImageFiles):
        raise UserError("mixed-labels: needs images in memory; set the data set's storage to arrays")
    known = np.zeros((len(split.images), *split.images.shape[2:]), bool) if truth is None else truth
    weight, target, source = _mix_all(split.images, known, mixer, settings, seed)
    return _rows(weight, target, source, truth is not None)


def _mix_all(images: np.ndarray, truth: np.ndarray, mixer, settings, seed: int) -> torch.Tensor:
    """Return the weight and the visible pixels of the target's and the source's object: float64 (3, mixed images)."""
    channels = images.shape[1]
    parts = [torch.from_numpy(part).to(torch.uint8)[:, None] for part in (truth, mixer.masks) if part is not None]
    memory = InMemory(torch.cat([torch.tensor(images), *parts], 1), settings)
    views = memory.draw(seed, 0)
    drawn = mixer.draw(seed, 0, (len(images), *images.shape[2:]))
    found = []
    for index in drawn.mixed.nonzero()[:, 0].split(_BATCH):
        own = drawn.at(index)
        target, source = (memory.view(views.at(each)) for each in (index, own.partner))
        pair = _with_object(target, channels, 0), _with_object(source, channels, 1)
        mixed, weight = draws.mix(*pair, own, mixer.settings, channels)
        weight = weight.flatten(1)[:, 0] if weight.ndim > 1 else weight  # of the two labels alone
        found.append(torch.stack([weight.double(), *mixed[:, -2:].double().sum((2, 3)).T]))
    return torch.cat(found, 1) if found else torch.zeros(3, 0, dtype=torch.float64)


def _with_object(views: torch.Tensor, channels: int, which: int) -> torch.Tensor:
    """Return the image's channels, two more, of which `which` is the true mask in 0 and 255, and the mixing mask."""
    objects = torch.zeros_like(views[:, :2])
    objects[:, which] = 255 * views[:, channels]
    return torch.cat([views[:, :channels], objects, views[:, channels + 1 :]], 1)


def _rows(weight: torch.Tensor, target: torch.Tensor, source: torch.Tensor, known: bool) -> list[dict]:
    n, any_visible = len(weight), target + source > 0
    ghost = ((target == 0) & (weight > 0)) | ((source == 0) & (weight < 1))
    error = (weight - target / (target + source))[any_visible].abs()
    values = {"weight-mean": weight.mean(), "weight-sd": (weight - weight.mean()).square().mean().sqrt()}
    of_truth = {"label-error": error.mean(), "ghost-labels": ghost.double().mean()}
    of_truth["nothing-visible"] = (~any_visible).double().mean()
    rows = []
    for statistic, value in (values | of_truth).items():
        reason = None if n else "no image is mixed"
        if statistic in of_truth and not known:
            reason = "the true masks are not known"
        elif reason is None and value.isnan():
            reason = "no object is visible in any"
        rows.append({"statistic": statistic, "value": None if reason else value.item(), "n": n, "reason": reason})
    return rows
