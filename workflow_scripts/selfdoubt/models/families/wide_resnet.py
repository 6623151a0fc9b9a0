"""Wide residual networks: Zagoruyko & Komodakis, BMVC 2016, of 6n + 4 layers with pre-activated blocks, as the paper
defines them.
"""

from pathlib import Path

import torch
from torch import nn

from selfdoubt.models import weights_of_others
from selfdoubt.models.network import Network
from selfdoubt.models.residual_stages import NAMES, WIDTHS, convolution, initialise, stages

# Names of other programs, of modules outside of blocks and in them, by which weights are found.
_OUTSIDE = {"conv1": "stem", "conv": "stem", "bn1": "last.0", "bn": "last.0"}
_OUTSIDE |= dict.fromkeys(("linear", "fc", "classifier"), "head")
_INSIDE = {"bn1": "norm1", "bn2": "norm2"}
_INSIDE |= dict.fromkeys(("shortcut.0", "convShortcut", "downsample", "downsample.0"), "shortcut")


class WideResNet(nn.Module):
    """A convolution, three stages of n pre-activated blocks, the global average, a linear layer."""

    def __init__(self, n: int, widen_factor: int, dropout: float, n_classes: int, channels: int):
        super().__init__()
        widths = [width * widen_factor for width in WIDTHS]
        self.stem = convolution(channels, WIDTHS[0])
        self.stages = stages(_WideBlock, n, widths, dropout)
        self.last = nn.Sequential(nn.BatchNorm2d(widths[-1]), nn.ReLU())
        self.head = nn.Linear(widths[-1], n_classes)
        self.apply(initialise)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.last(self.stages(self.stem(x))).mean((2, 3)))


class _WideBlock(nn.Module):
    """Two pre-activated convolutions, dropout between them; the shortcut is a 1x1 convolution where widths differ."""

    def __init__(self, n_in: int, n_out: int, stride: int, dropout: float):
        super().__init__()
        self.norm1, self.conv1 = nn.BatchNorm2d(n_in), convolution(n_in, n_out, stride)
        self.norm2, self.conv2 = nn.BatchNorm2d(n_out), convolution(n_out, n_out)
        self.dropout = nn.Dropout(dropout)
        self.shortcut = None
        if n_in != n_out or stride != 1:
            self.shortcut = nn.Conv2d(n_in, n_out, 1, stride, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        active = self.norm1(x).relu()
        found = self.conv2(self.dropout(self.norm2(self.conv1(active)).relu()))
        return found + (x if self.shortcut is None else self.shortcut(active))


def build(
    network, n_classes: int, channels: int, size_px: int, weights: str | Path | None = None, keep_head: bool = True
) -> Network:
    """Build a wide residual network.

    network: `depth`, 6n + 4, `widen_factor` and `dropout`; of weights their `weights_key`, `mean` and `deviation`.
    weights: a file, whose head is kept. Raises UserError if it does not fit.
    """
    n = (network.depth - 4) // 6
    body = WideResNet(n, network.widen_factor, network.dropout, n_classes, channels)
    if weights:
        place = f"wide-resnet of depth {network.depth} and widen_factor {network.widen_factor}"
        weights_of_others.load_into(body, weights, network, _OUTSIDE, _INSIDE, place)
    maps = (*NAMES[:2], "last")  # sums before `last` may be negative, and a map has to be evidence
    return Network(body, ("head",), maps, weights_of_others.normalisation_of(network, channels))
