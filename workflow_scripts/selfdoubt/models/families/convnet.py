"""A small convolutional network that learns fast on small images (after Jordan, "94% on CIFAR-10 in 3.29 seconds on a
single GPU", 2024).
"""

import torch
from torch import nn

from selfdoubt.models.network import Network
from selfdoubt.runtime.errors import UserError

_WHITENING_PX = 2
_WHITENING_EPSILON = 5e-4
_WHITENED_PATCHES = 2**20  # some 1,000 images of 32 px
_LOGIT_SCALE = 1 / 9


class ConvNet(nn.Module):
    """Fixed whitening convolution, a block for each of `widths`, global maximum, linear layer scaled by 1/9."""

    def __init__(self, widths: list[int], n_classes: int, channels: int):
        super().__init__()
        n_filters = 2 * channels * _WHITENING_PX**2
        self.whitening = nn.Conv2d(channels, n_filters, _WHITENING_PX, bias=False)
        self.whitening.weight.requires_grad_(False)
        self.activation = nn.GELU()
        self.blocks = nn.Sequential(*[_block(a, b) for a, b in zip([n_filters, *widths], widths, strict=False)])
        self.head = nn.Linear(widths[-1], n_classes, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        maps = self.blocks(self.activation(self.whitening(x)))  # (n, w, h, w)
        return self.head(maps.amax((2, 3))) * _LOGIT_SCALE

    @torch.no_grad()
    def fit_whitening(self, images: torch.Tensor) -> None:
        """Set the filters to plus and minus the principal components of 2x2 patches, scaled to unit variance."""
        n_images = max(1, _WHITENED_PATCHES // (images.shape[2] * images.shape[3]))
        patches = nn.functional.unfold(images[:n_images], _WHITENING_PX)  # (n, C*4, positions)
        patches = patches.transpose(1, 2).reshape(-1, patches.shape[1]).double()
        values, vectors = torch.linalg.eigh(torch.cov(patches.T))
        filters = (vectors / (values + _WHITENING_EPSILON).sqrt()).T.flip(0)
        filters = filters.reshape(-1, *self.whitening.weight.shape[1:])
        self.whitening.weight.copy_(torch.cat([filters, -filters]))


def _block(n_in: int, n_out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(n_in, n_out, 3, padding=1, bias=False),
        nn.MaxPool2d(2),
        nn.BatchNorm2d(n_out),
        nn.GELU(),
        nn.Conv2d(n_out, n_out, 3, padding=1, bias=False),
        nn.BatchNorm2d(n_out),
        nn.GELU(),
    )


def build(network, n_classes: int, channels: int, size_px: int) -> Network:
    """Build a convnet.

    network: `widths`, the channels of each block. Raises UserError if the images are too small for so many blocks.
    """
    shortest = 2 ** len(network.widths) + 1
    if size_px < shortest:
        raise UserError(f"networks: a convnet of {len(network.widths)} blocks needs images of {shortest} px or more")
    blocks = tuple(f"blocks.{i}" for i in range(len(network.widths)))
    return Network(ConvNet(network.widths, n_classes, channels), ("head",), blocks, logit_scale=_LOGIT_SCALE)
