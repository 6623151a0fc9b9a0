"""Views of images, geometric ones or, as their placebo, ones with noise, and what a model predicts of them."""

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from selfdoubt.enhancers import transformations
from selfdoubt.enhancers.batches import Batch
from selfdoubt.training import augmentation


class Seen(NamedTuple):
    """What a model predicts of n images and their views."""

    clean: Tensor  # logits (n, K)
    log_mean: Tensor  # log of the mean softmax over the clean image and its views, (n, K)
    predicted: Tensor  # of the clean images, (n,)
    images: Tensor  # the mean of the views (n, C, H, W), which no model classifies
    columns: dict[str, Tensor]  # float32 (n,), of `signals`


def look(batch: Batch, settings, generator: np.random.Generator) -> Seen:
    """Predict the clean images and n_views - 1 random views of each; costs n_views forwards."""
    clean = batch.once(("clean",), lambda: batch.logits(batch.images))
    views = [batch.images, *drawn(batch.images, settings, generator)]
    logs = torch.stack([clean, *map(batch.logits, views[1:])]).log_softmax(-1)  # (V, n, K)
    predicted = clean.argmax(1)
    log_mean = logs.logsumexp(0) - math.log(len(views))
    return Seen(clean, log_mean, predicted, torch.stack(views).mean(0), signals(logs, predicted))


def signals(logs: Tensor, predicted: Tensor) -> dict[str, Tensor]:
    """Return how views agree on the clean prediction, each (n,).

    logs: log softmax of the views (V, n, K), the clean image first. predicted: (n,). mean_log_p, least_log_p and
    deviation_log_p (with V in its denominator) are of log p of the clean prediction; agreement is the fraction of views
    of which it is the prediction.
    """
    log_p = logs.gather(2, predicted.expand(len(logs), -1)[..., None])[..., 0]  # (V, n)
    return {
        "mean_log_p": log_p.mean(0),
        "least_log_p": log_p.amin(0),
        "deviation_log_p": log_p.std(0, correction=0),
        "agreement": (logs.argmax(-1) == predicted).float().mean(0),
    }


def drawn(images: Tensor, settings, generator: np.random.Generator) -> list[Tensor]:
    """Return n_views - 1 random views (n, C, H, W); draws go image by image, so that the batch size changes nothing.

    settings: n_views and family. Of "noise", normal noise of deviation noise_255 / 255 is added to each pixel. Of
    "geometry", what is left out of these does nothing, and uniform draws decide: a shift of up to shift_px along each
    axis, black moving in; a mirror image or not, if flip; a rotation of up to rotation_degrees and an enlargement or
    reduction by up to scale_percent; a window of crop_percent of the sides somewhere in the image, enlarged to it.
    """
    n, n_drawn = len(images), settings.n_views - 1
    if settings.family == "noise":
        normal = generator.standard_normal((n, n_drawn, *images.shape[1:]), dtype=np.float32)
        noise = torch.from_numpy(normal).to(images.device) * (settings.noise_255 / 255)
        return [(images + noise[:, i]).clamp(0, 1) for i in range(n_drawn)]
    draws = torch.from_numpy(generator.random((n, n_drawn, 7)))
    views = shifted(images, draws[..., :3], _size(settings, "shift_px"), getattr(settings, "flip", False))
    if not any(_size(settings, key) for key in ("rotation_degrees", "scale_percent", "crop_percent")):
        return views
    size = tuple(images.shape[2:])
    theta = _theta(draws[..., 3:], settings, size).to(images)
    places = (transformations.affine_places(theta[:, i], size) for i in range(n_drawn))
    return [transformations.sample(view, place) for view, place in zip(views, places, strict=True)]


def shifted(images: Tensor, draws: Tensor, shift_px: int, flip: bool) -> list[Tensor]:
    """Return views (n, C, H, W) shifted by up to shift_px along each axis, black moving in, and flipped or not.

    draws: uniform in [0, 1), (n, V, 3): of each of V views top, left and flip.
    """
    shifts = (draws[..., :2] * (2 * shift_px + 1)).long()  # of the window, 0 to 2 shift_px
    flipped = (draws[..., 2] < 0.5) & flip
    windows, index = augmentation.pad(images, shift_px), torch.arange(len(images), device=images.device)
    moves = [part.to(images.device) for part in (shifts[..., 0], shifts[..., 1], flipped)]  # each (n, V)
    views = [augmentation.Views(*(part[:, i] for part in moves)) for i in range(draws.shape[1])]
    return [augmentation.view(windows, moved.at(index)) for moved in views]


def _theta(draws: Tensor, settings, size: tuple[int, int]) -> Tensor:
    """Return parameters of affine maps (n, V, 5) from uniform draws (n, V, 4): rotation, scale, place of a crop."""
    between = 2 * draws - 1
    rotation = math.radians(_size(settings, "rotation_degrees")) * between[..., 0]
    scale = 1 + _size(settings, "scale_percent") / 100 * between[..., 1]
    side = (_size(settings, "crop_percent") or 100) / 100
    reach = torch.tensor(size[::-1]) * (1 - side) / 2 / side  # of the centre of the window, as enlarged
    shift = reach * between[..., 2:]
    return torch.cat([shift, torch.stack([rotation, torch.log(scale / side), torch.zeros_like(scale)], -1)], -1)


def _size(settings, key: str) -> float:
    return getattr(settings, key, 0)
