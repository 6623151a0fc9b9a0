"""What every family of networks (`models.families`) returns. A family is a module with

build(network, n_classes, channels, size_px, **weights) -> Network
"""

from dataclasses import dataclass

from torch import nn


@dataclass(frozen=True)
class Network:
    """A body from normalised pixels (n, C, h, w) to logits (n, K), and its parts and its input."""

    body: nn.Module
    heads: tuple[str, ...]  # submodules from features to logits; some networks have a second one, for distillation
    maps: tuple[str, ...]  # submodules that put out maps (n, c, h, w), shallow to deep; may be empty
    normalisation: tuple[list[float], list[float]] | None = None  # mean and std of the channels, as it was trained
    input_size: tuple[int, int] | None = None  # height and width that images are resized to; None: as they are
    logit_scale: float = 1.0  # by which the last layer's outputs are multiplied
