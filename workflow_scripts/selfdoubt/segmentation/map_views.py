"""The views of an image in which a classifier's maps are looked at, and how the outputs of its layers are recorded."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch.nn import functional as F

from selfdoubt.runtime.errors import UserError

NARROWEST_PX = 4  # a map of fewer pixels a side does not localise anything
_MAP_PIXELS = 200_000  # of a batch


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
    of_view: Callable[[Callable, torch.Tensor], torch.Tensor], model, pixels: torch.Tensor, scales: list[float]
) -> torch.Tensor:
    """Return the mean of maps (n, H, W) over scales of the network's input, of the images and of the mirrored ones.

    of_view: returns a view's maps in the size of the images, from a function that gives the logits of images, and the
    images, mirrored or not. pixels: (n, C, H, W) in [0, 1].
    """
    found = 0
    for scale in scales:
        for mirrored in (False, True):
            maps = of_view(lambda seen, scale=scale: _look(model, seen, scale), pixels.flip(3) if mirrored else pixels)
            found = found + (maps.flip(2) if mirrored else maps)
    return found / (2 * len(scales))


def slices(images, side: float) -> list[slice]:
    """Return the parts of images that a network is given at once, of so many pixels a side."""
    size = max(1, int(_MAP_PIXELS / side**2))
    return [slice(first, first + size) for first in range(0, len(images), size)]


def side_of(model, size) -> int:
    """Return how many pixels a side a classifier sees of images of a size, which are square."""
    return math.isqrt(model.input_pixels) or size[0]


def _look(model, pixels: torch.Tensor, scale: float) -> torch.Tensor:
    """Return the logits of images that a classifier sees at a scale of its input's size."""
    side = round(scale * side_of(model, pixels.shape[2:]))
    seen = F.interpolate(pixels, (side, side), mode="bilinear", antialias=True)
    return model.body(((seen - model.mean) / model.std).contiguous(memory_format=torch.channels_last)).float()
