"""Which images a network that changes images learns from, and by whose errors.

By itself it learns from `val` by the errors of the model that it enhances. It may learn there by another model's, to
see whether what it has learned carries over; and from training images too, each by the errors of siblings of the model
that did not see it, since errors on images that a model was fitted on are rare and unlike those on test images.
"""

from typing import NamedTuple

import numpy as np
from torch import nn

from selfdoubt.enhancers import crossfit


class Lot(NamedTuple):
    """Images, and the frozen model by whose errors and gradients a network learns from them."""

    model: nn.Module
    images: np.ndarray  # uint8 (n, C, H, W), or images that are read from files
    labels: np.ndarray  # (n,)


class Others(NamedTuple):
    """Models besides the one that is enhanced."""

    in_its_place: nn.Module | None = None  # by whose errors a network learns on val, in the place of its own
    held_out: tuple[Lot, ...] = ()  # training images, each of a sibling that did not see them

    def models(self) -> list[nn.Module]:
        found = [lot.model for lot in self.held_out]
        return found if self.in_its_place is None else [self.in_its_place, *found]


NONE = Others()


def of_part(model: nn.Module, val, rows: np.ndarray, others: Others) -> list[Lot]:
    """Return what a network fitted on these `rows` of `val` learns from: them, and held-out training images if any."""
    own = crossfit.subset(val, rows)
    return [Lot(others.in_its_place or model, own.images, own.labels), *others.held_out]
