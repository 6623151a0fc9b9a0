"""The views of an image in which a classifier's maps are looked at, and how the outputs of its layers are recorded."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch.nn import functional as F

from selfdoubt.runtime.errors import UserError

NARROWEST_PX = 4  # a map of fewer pixels a side does not localise anything
_MAP_PIXELS = 200_000  # of a batch


class MapViews(NamedTuple):
    """The views of each image whose maps are averaged: at each scale the image and the mirrored one."""

    scales: list[float]  # of the network's input
    upside_down: bool = False  # whether both are looked at upside down too

    def flips(self) -> list[list[int]]:
        """Return the axes of images (n, C, H, W) that are flipped in each view of a scale."""
        return [[], [3], *([[2], [2, 3]] if self.upside_down else [])]


@contextmanager
def recording(layers) -> Iterator[list[torch.Tensor]]:
    """Collect the outputs of those layers that are wide enough; the graph begins at the first of them."""
    outputs = []

    def record(_module, _inputs, output):
        if min(output.shape[2:]) < NARROWEST_PX:
            return None
        outputs.append(output if outputs else output.detach().requires_grad_())
        return outputs[-1].clone()  # the next layer may write in place

    hooks = [layer.register_forward_hook(record) for layer in layers]
    try:
        yield outputs
    finally:
        for hook in hooks:
            hook.remove()


def check_any(outputs: list[torch.Tensor], size) -> None:
    """Raise UserError if no layer's output was wide enough; size: height and width of the images."""
    if not outputs:
        raise UserError(f"teacher: no layer's map of {size} px images has {NARROWEST_PX} px a side")


def mean_over(
    of_view: Callable[[Callable, torch.Tensor], torch.Tensor], model, pixels: torch.Tensor, views: MapViews
) -> torch.Tensor:
    """Return the mean over views of maps (n, H, W) in the size of the images.

    of_view: returns a view's maps, from a function that gives the logits of images, and the images, flipped or not.
    pixels: (n, C, H, W) in [0, 1].
    """
    found = 0
    for scale in views.scales:
        for axes in views.flips():
            maps = of_view(lambda seen, scale=scale: _look(model, seen, scale), pixels.flip(axes))
            found = found + maps.flip([axis - 1 for axis in axes])
    return found / (len(views.scales) * len(views.flips()))


def slices_of(images, model, views: MapViews) -> list[slice]:
    """Return the parts of images (n, C, H, W) of which a classifier is given a view at once."""
    size = max(1, int(_MAP_PIXELS / (max(views.scales) * _side_of(model, images.shape[2])) ** 2))
    return [slice(first, first + size) for first in range(0, len(images), size)]


def _side_of(model, size_px: int) -> int:
    """Return how many pixels a side a classifier sees of images of a side."""
    return math.isqrt(model.input_pixels) or size_px


def _look(model, pixels: torch.Tensor, scale: float) -> torch.Tensor:
    """Return the logits of images that a classifier sees at a scale of its input's size."""
    side = round(scale * _side_of(model, pixels.shape[2]))
    seen = F.interpolate(pixels, (side, side), mode="bilinear", antialias=True)
    try:
        return model.body(((seen - model.mean) / model.std).contiguous(memory_format=torch.channels_last)).float()
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as error:
        what = f"the teacher cannot take {side} px ({str(error).splitlines()[0]})"
        raise UserError(f"segmenters: map_scales: {scale}: {what}; raise it") from None
