"""Residual networks for images of about 32 px, as their papers define them: nothing is added and nothing modernised.

`resnet-cifar`: He et al., "Deep residual learning for image recognition", CVPR 2016, section 4.2: 6n + 2 layers.
`wide-resnet`: Zagoruyko & Komodakis, "Wide residual networks", BMVC 2016: 6n + 4 layers, pre-activated blocks.
Not here: ImageNet's ResNets, which timm has.
"""

import torch
from torch import nn
from torch.nn import functional as F

from selfdoubt.models.network import Network

_WIDTHS = (16, 32, 64)
_MAPS = ("stages.0", "stages.1", "stages.2")


class CifarResNet(nn.Module):
    """A convolution, three stages of n blocks, the global average, a linear layer."""

    def __init__(self, n: int, n_classes: int, channels: int):
        super().__init__()
        self.stem = nn.Sequential(_convolution(channels, _WIDTHS[0]), nn.BatchNorm2d(_WIDTHS[0]), nn.ReLU())
        self.stages = _stages(_Block, n, _WIDTHS)
        self.head = nn.Linear(_WIDTHS[-1], n_classes)
        self.apply(_initialise)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.stages(self.stem(x)).mean((2, 3)))


class WideResNet(nn.Module):
    """A convolution, three stages of n pre-activated blocks, the global average, a linear layer."""

    def __init__(self, n: int, widen_factor: int, dropout: float, n_classes: int, channels: int):
        super().__init__()
        widths = [width * widen_factor for width in _WIDTHS]
        self.stem = _convolution(channels, _WIDTHS[0])
        self.stages = _stages(_WideBlock, n, widths, dropout)
        self.last = nn.Sequential(nn.BatchNorm2d(widths[-1]), nn.ReLU())
        self.head = nn.Linear(widths[-1], n_classes)
        self.apply(_initialise)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.last(self.stages(self.stem(x))).mean((2, 3)))


class _Block(nn.Module):
    """Two convolutions around an identity, which is shortened and filled up with zeros (the paper's option A)."""

    def __init__(self, n_in: int, n_out: int, stride: int):
        super().__init__()
        self.conv1, self.norm1 = _convolution(n_in, n_out, stride), nn.BatchNorm2d(n_out)
        self.conv2, self.norm2 = _convolution(n_out, n_out), nn.BatchNorm2d(n_out)
        self.stride, self.n_zeros = stride, n_out - n_in

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found = self.norm2(self.conv2(self.norm1(self.conv1(x)).relu()))
        x = x[:, :, :: self.stride, :: self.stride]
        return (found + F.pad(x, (0, 0, 0, 0, 0, self.n_zeros))).relu()


class _WideBlock(nn.Module):
    """Two pre-activated convolutions, dropout between them; the shortcut is a 1x1 convolution where widths differ."""

    def __init__(self, n_in: int, n_out: int, stride: int, dropout: float):
        super().__init__()
        self.norm1, self.conv1 = nn.BatchNorm2d(n_in), _convolution(n_in, n_out, stride)
        self.norm2, self.conv2 = nn.BatchNorm2d(n_out), _convolution(n_out, n_out)
        self.dropout = nn.Dropout(dropout)
        self.shortcut = None
        if n_in != n_out or stride != 1:
            self.shortcut = nn.Conv2d(n_in, n_out, 1, stride, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        active = self.norm1(x).relu()
        found = self.conv2(self.dropout(self.norm2(self.conv1(active)).relu()))
        return found + (x if self.shortcut is None else self.shortcut(active))


def _stages(block: type, n: int, widths, *options) -> nn.Sequential:
    """Three stages of n blocks; the second and the third halve the maps."""
    stages = []
    for stage, (n_in, n_out) in enumerate(zip([_WIDTHS[0], *widths], widths, strict=False)):
        first = block(n_in, n_out, 1 if stage == 0 else 2, *options)
        stages.append(nn.Sequential(first, *[block(n_out, n_out, 1, *options) for _ in range(n - 1)]))
    return nn.Sequential(*stages)


def _convolution(n_in: int, n_out: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(n_in, n_out, 3, stride, padding=1, bias=False)


def _initialise(module: nn.Module) -> None:
    """As both papers: He et al., "Delving deep into rectifiers", ICCV 2015."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")


def resnet_cifar(network, n_classes: int, channels: int, size_px: int) -> Network:
    """network: `depth`, 6n + 2."""
    return Network(CifarResNet((network.depth - 2) // 6, n_classes, channels), ("head",), _MAPS)


def wide_resnet(network, n_classes: int, channels: int, size_px: int) -> Network:
    """network: `depth`, 6n + 4, `widen_factor` and `dropout`."""
    n = (network.depth - 4) // 6
    body = WideResNet(n, network.widen_factor, network.dropout, n_classes, channels)
    return Network(body, ("head",), (*_MAPS[:2], "last"))  # before `last` maps are sums, and may be negative
