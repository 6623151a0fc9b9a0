"""The networks that `models` builds: a module for each family, and what all families tell of theirs."""

from dataclasses import dataclass

from torch import nn


@dataclass(frozen=True)
class Network:
    """A body from normalised pixels (n, C, h, w) to logits (n, K), and what is known of it."""

    body: nn.Module
    heads: tuple[str, ...]  # submodules from features to logits; some networks have a second one, for distillation
    maps: tuple[str, ...]  # submodules whose outputs are maps (n, c, h, w), shallow to deep; none where there are none
    normalisation: tuple[list[float], list[float]] | None = None  # mean and std of the channels, as it was trained
    input_size: tuple[int, int] | None = None  # height and width that images are resized to; None: as they are
