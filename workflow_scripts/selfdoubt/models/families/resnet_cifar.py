"""Residual networks for images of about 32 px: He et al., "Deep residual learning for image recognition", CVPR 2016,
section 4.2, of 6n + 2 layers, as the paper defines them.
"""

from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from selfdoubt.models import weights_of_others
from selfdoubt.models.network import Network
from selfdoubt.models.residual_stages import NAMES, WIDTHS, convolution, initialise, stages

# Names of other programs, of modules outside of blocks and in them, by which weights are found.
_OUTSIDE = {"conv1": "stem.0", "conv": "stem.0", "bn1": "stem.1", "bn": "stem.1"}
_OUTSIDE |= dict.fromkeys(("linear", "fc", "classifier"), "head")
_INSIDE = {"bn1": "norm1", "bn2": "norm2", "downsample.0": "shortcut.0", "downsample.1": "shortcut.1"}


class CifarResNet(nn.Module):
    """A convolution, three stages of n blocks, the global average, a linear layer."""

    def __init__(self, n: int, n_classes: int, channels: int, shortcuts: str = "padding"):
        super().__init__()
        self.stem = nn.Sequential(
            convolution(channels, WIDTHS[0]),
            nn.BatchNorm2d(WIDTHS[0]),
            nn.ReLU(),
        )
        self.stages = stages(_Block, n, WIDTHS, shortcuts)
        self.head = nn.Linear(WIDTHS[-1], n_classes)
        self.apply(initialise)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.stages(self.stem(x)).mean((2, 3)))


class _Block(nn.Module):
    """Two convolutions with a shortcut around them, an identity where the width stays.

    shortcuts: where it changes, either every second pixel and channels of zeros (the paper's option A), behind the
    others ("padding") or half of them before ("padding-around"), or a normalised 1 x 1 convolution (B, "projection").
    """

    def __init__(self, n_in: int, n_out: int, stride: int, shortcuts: str = "padding"):
        super().__init__()
        self.conv1, self.norm1 = convolution(n_in, n_out, stride), nn.BatchNorm2d(n_out)
        self.conv2, self.norm2 = convolution(n_out, n_out), nn.BatchNorm2d(n_out)
        before = (n_out - n_in) // 2 if shortcuts == "padding-around" else 0
        self.stride, self.zeros, self.shortcut = stride, (before, n_out - n_in - before), None
        if shortcuts == "projection" and (n_in != n_out or stride != 1):
            self.shortcut = nn.Sequential(nn.Conv2d(n_in, n_out, 1, stride, bias=False), nn.BatchNorm2d(n_out))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found = self.norm2(self.conv2(self.norm1(self.conv1(x)).relu()))
        if self.shortcut is not None:
            return (found + self.shortcut(x)).relu()
        x = x[:, :, :: self.stride, :: self.stride]
        return (found + F.pad(x, (0, 0, 0, 0, *self.zeros))).relu()


def build(
    network, n_classes: int, channels: int, size_px: int, weights: str | Path | None = None, keep_head: bool = True
) -> Network:
    """Build a residual network.

    network: `depth`, 6n + 2, and `shortcuts`; of weights their `weights_key`, `mean` and `deviation`.
    weights: a file, whose head is kept. Raises UserError if it does not fit.
    """
    shortcuts = getattr(network, "shortcuts", "padding")
    body = CifarResNet((network.depth - 2) // 6, n_classes, channels, shortcuts)
    if weights:
        place = f"resnet-cifar of depth {network.depth} with shortcuts: {shortcuts}"
        weights_of_others.load_into(body, weights, network, _OUTSIDE, _INSIDE, place)
    return Network(body, ("head",), NAMES, weights_of_others.normalisation_of(network, channels))
