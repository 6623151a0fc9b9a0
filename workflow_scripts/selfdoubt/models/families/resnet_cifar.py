"""Residual networks for images of about 32 px: He et al., "Deep residual learning for image recognition", CVPR 2016,
section 4.2, of 6n + 2 layers, as the paper defines them.
"""

import torch
from torch import nn
from torch.nn import functional as F

from selfdoubt.models.network import Network
from selfdoubt.models.residual_stages import NAMES, WIDTHS, convolution, initialise, stages


class CifarResNet(nn.Module):
    """A convolution, three stages of n blocks, the global average, a linear layer."""

    def __init__(self, n: int, n_classes: int, channels: int):
        super().__init__()
        self.stem = nn.Sequential(
            convolution(channels, WIDTHS[0]),
            nn.BatchNorm2d(WIDTHS[0]),
            nn.ReLU(),
        )
        self.stages = stages(_Block, n, WIDTHS)
        self.head = nn.Linear(WIDTHS[-1], n_classes)
        self.apply(initialise)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.stages(self.stem(x)).mean((2, 3)))


class _Block(nn.Module):
    """Two convolutions around an identity, which is shortened and filled up with zeros (the paper's option A)."""

    def __init__(self, n_in: int, n_out: int, stride: int):
        super().__init__()
        self.conv1, self.norm1 = convolution(n_in, n_out, stride), nn.BatchNorm2d(n_out)
        self.conv2, self.norm2 = convolution(n_out, n_out), nn.BatchNorm2d(n_out)
        self.stride, self.n_zeros = stride, n_out - n_in

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found = self.norm2(self.conv2(self.norm1(self.conv1(x)).relu()))
        x = x[:, :, :: self.stride, :: self.stride]
        return (found + F.pad(x, (0, 0, 0, 0, 0, self.n_zeros))).relu()


def build(network, n_classes: int, channels: int, size_px: int) -> Network:
    """Build a residual network; network: `depth`, 6n + 2."""
    body = CifarResNet((network.depth - 2) // 6, n_classes, channels)
    return Network(body, ("head",), NAMES)
