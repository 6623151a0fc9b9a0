"""Deep-spatial: a small network, trained on `val`, that shifts, rotates, scales and shears each image by what it sees.

h(x) -> theta, x' = T_theta x (spatial transformers: Jaderberg et al. 2015), trained for what `deep` may be trained for.
The label is kept: classified again, views hide what they gain.
"""

import math
from functools import partial
from types import SimpleNamespace

import numpy as np
import torch
from torch import Tensor, nn

from selfdoubt.enhancers import image_network, lots, objectives, transformations
from selfdoubt.enhancers.batches import Batch, EnhancedBatch
from selfdoubt.training import small_networks


class SpatialNetwork(nn.Module):
    """x -> T_theta x with theta = sizes * tanh(h(x)), so that no weights transform by more than the sizes.

    h is `image_network.trunk`, the mean over its pixels, and a linear layer that is initialised to 0: untrained it is
    the identity.
    """

    def __init__(self, channels: int, width: int, sizes: Tensor):
        """sizes: the largest of each of `transformations.AFFINE`, (5,)."""
        super().__init__()
        self.register_buffer("sizes", sizes)
        self.layers, self.last = image_network.trunk(channels, width), nn.Linear(4 * width, len(sizes))
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, images: Tensor) -> Tensor:
        """(n, C, H, W) in [0, 1] -> the same."""
        return moved(images, self.theta(images))

    def theta(self, images: Tensor) -> Tensor:
        """Return the parameters (n, 5) for images (n, C, H, W)."""
        return self.sizes * torch.tanh(self.last(self.layers(images - 0.5).mean((2, 3))))


def fit(
    model: nn.Module,
    val,
    candidates: list[SimpleNamespace],
    parts: list[np.ndarray],
    seed: int,
    others: lots.Others = lots.NONE,
) -> list[list]:
    """Return, for each candidate, the network trained on each of the parts (row numbers) of `val`, as of `lots`."""

    def trained(settings, rows: np.ndarray) -> SpatialNetwork:
        build = partial(SpatialNetwork, val.images.shape[1], settings.width, sizes_of(settings))
        network = small_networks.untrained(build, settings.method, seed)
        return objectives.train(lots.of_part(model, val, rows, others), network, settings, seed)

    return [[trained(settings, rows) for rows in parts] for settings in candidates]


@torch.no_grad()
def enhance(batch: Batch, settings, generator: np.random.Generator, fitted: SpatialNetwork) -> EnhancedBatch:
    """Return the logits of the transformed images; the clean prediction is kept. Costs two forwards, and one of h.

    The parameters that were found are columns.
    """
    theta = fitted.theta(batch.images)
    images = moved(batch.images, theta)
    columns = dict(zip(transformations.AFFINE, theta.T.contiguous(), strict=True))
    return EnhancedBatch(batch.logits(images), images, batch.predicted, columns)


def moved(images: Tensor, theta: Tensor) -> Tensor:
    """Return images (n, C, H, W) transformed by theta (n, 5)."""
    return transformations.sample(images, transformations.affine_places(theta, tuple(images.shape[2:])))


def sizes_of(settings) -> Tensor:
    """Return the largest of each parameter: px, px, radians, log of a factor, px a px; (5,)."""
    keys = ("shift_px", "rotation_degrees", "scale_percent", "shear_percent")
    shift, rotation, scale, shear = (settings.size * getattr(settings, key) for key in keys)
    return torch.tensor([shift, shift, math.radians(rotation), math.log1p(scale / 100), shear / 100])
