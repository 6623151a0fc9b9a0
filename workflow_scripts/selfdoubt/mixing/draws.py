"""The random numbers of mixing, drawn for a whole epoch at once, and how a method mixes a batch of pairs.

Each image's draws are found by its position in the data set, as its views are. A method (`mixing.methods`) takes views
of the targets and of their sources and returns mixed images with the weight (n,) that the target's label keeps; the
source's label has the rest. A weight (n, 2) has that in its first column, and in its second the fraction of the label
that the two have together; the rest is spread evenly over all classes. Its module has

    draw_lambda(generator, n, settings) -> (n,)        the target's fraction, as the method's paper draws it
    mix(target, source, drawn, settings) -> images, weight
    place(source, drawn) -> drawn                      if the draws depend on what the source shows
    MIXES_WITHOUT_MASKS = True                         if pairs with a doubtful mask are mixed too, as if it were empty
"""

from types import ModuleType
from typing import NamedTuple

import numpy as np
import torch

from selfdoubt.runtime import methods, randomness


class Mixing(NamedTuple):
    """The draws of n images in one epoch; each method uses those that it needs."""

    mixed: torch.Tensor  # (n,) bool: whether it is mixed at all
    partner: torch.Tensor  # (n,) the position of the source image
    kept: torch.Tensor  # (n,) float64: the target's fraction, before a box is rounded to pixels and clipped
    centre: torch.Tensor  # (n, 2) row and column of a box's centre, px
    corner: torch.Tensor  # (n, 2) float64 in [0, 1): the place of a box that lies inside, of those possible
    placements: torch.Tensor  # (n, K, 2) candidate translations of the source's object, px

    def at(self, index: torch.Tensor) -> "Mixing":
        """Return the draws of the images at `index` (b,)."""
        return Mixing(*(drawn[index] for drawn in self))


def draw_mixing(seed: int, epoch: int, shape: tuple[int, int, int], mixing) -> Mixing:
    """Draw one epoch's mixing of (n, H, W) images; `mixing` are the settings of a model."""
    n, height, width = shape
    mixed = randomness.generator(seed, "mixed", epoch).random(n) < mixing.probability
    partner = randomness.generator(seed, "partner", epoch).integers(0, n, n)
    generator = randomness.generator(seed, "box", epoch)
    kept = load(mixing.method).draw_lambda(generator, n, mixing)
    centre = np.stack([generator.integers(0, length, n) for length in (height, width)], 1)
    corner = randomness.generator(seed, "corner", epoch).random((n, 2))
    n_placements = getattr(mixing, "n_placements", 1)
    reach = np.array([height // 2, width // 2])
    placements = randomness.generator(seed, "placement", epoch).integers(-reach, reach + 1, (n, n_placements, 2))
    return Mixing(*map(torch.from_numpy, (mixed, partner, kept, centre, corner, placements)))


def load(method: str) -> ModuleType:
    """Return the module of a mixing method."""
    return methods.load("mixing.methods", method)


def mix(target, source, drawn: Mixing, settings, channels: int | None = None):
    """Mix a batch by the method of the settings; arguments and results as of the methods' `mix`.

    channels: of the image, where further channels follow that are to be mixed alike; None: all.
    """
    method = load(settings.method)
    if hasattr(method, "place"):
        drawn = method.place(source[:, :channels], drawn)
    return method.mix(target, source, drawn, settings)
