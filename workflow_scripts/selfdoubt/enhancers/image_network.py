"""Small convolutional networks: from images to images, each within epsilon of the one before, and to maps."""

from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn

from selfdoubt.segmentation import networks
from selfdoubt.training import small_networks


class ImageNetwork(nn.Module):
    """x -> x + epsilon tanh(h(x)), clamped to [0, 1], so that no weights move a pixel by more than epsilon.

    h is three 3 x 3 convolutions with GELU between them, the last initialised to 0: untrained it is the identity.
    """

    def __init__(self, channels: int, width: int, epsilon: float):
        super().__init__()
        self.epsilon = epsilon
        first, middle, last = ((channels, width), (width, width), (width, channels))
        self.layers = nn.Sequential(
            nn.Conv2d(*first, 3, padding=1), nn.GELU(), nn.Conv2d(*middle, 3, padding=1), nn.GELU(),
            nn.Conv2d(*last, 3, padding=1),
        )  # fmt: skip
        _start_at_0(self.layers[-1])

    def forward(self, images: Tensor) -> Tensor:
        """(n, C, H, W) in [0, 1] -> the same."""
        return (images + self.epsilon * torch.tanh(self.change(images - 0.5))).clamp(0, 1)

    def change(self, images: Tensor) -> Tensor:
        """Return h of images (n, C, H, W), of their shape."""
        return self.layers(images)


class EncoderDecoder(ImageNetwork):
    """The same with an encoder-decoder of segmentation-models-pytorch for h; its last layer starts at 0 too."""

    def __init__(self, network: nn.Module, epsilon: float):
        nn.Module.__init__(self)
        self.layers, self.epsilon = network, epsilon
        _start_at_0([layer for layer in network.segmentation_head.modules() if isinstance(layer, nn.Conv2d)][-1])

    def change(self, images: Tensor) -> Tensor:
        return networks.padded(self.layers, images)


def _start_at_0(layer: nn.Conv2d) -> None:
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)


def trunk(channels: int, width: int) -> nn.Sequential:
    """Return layers from images (n, C, H, W) to maps (n, 4 width, h, w): three 3 x 3 convolutions, GELU after each.

    The channels double where the pixels become a quarter, after each of the first two, so that the second and the third
    cost together what the second of an `ImageNetwork` costs: 9 w (C + w) multiplications a pixel, where that has
    9 w (2 C + w).
    """
    sizes = [channels, width, 2 * width, 4 * width]
    first, second, third = (nn.Conv2d(a, b, 3, padding=1) for a, b in pairwise(sizes))
    pool = nn.AvgPool2d(2, ceil_mode=True)
    return nn.Sequential(first, nn.GELU(), pool, second, nn.GELU(), pool, third, nn.GELU())


def build(channels: int, settings, seed: int) -> ImageNetwork:
    """Build an untrained network; equal arguments give equal weights.

    settings: epsilon_255, and width or, of an encoder-decoder, network. Raises UserError if there is no such network.
    """
    epsilon, network = settings.epsilon_255 / 255, getattr(settings, "network", None)
    if network is not None:
        return EncoderDecoder(networks.build(network, channels, channels, seed, "enhancers"), epsilon)
    return small_networks.untrained(partial(ImageNetwork, channels, settings.width, epsilon), "deep", seed)
