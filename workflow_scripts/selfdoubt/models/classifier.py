"""Classifiers. Every one takes pixels in [0, 1], resizes and normalises them itself, so that attacks work on pixels.

A module of `models.families` builds the network of each family; what all have in common is here.
"""

import math

import torch
from torch import nn
from torch.nn import functional as F

from selfdoubt.models.network import Network
from selfdoubt.runtime import methods, randomness
from selfdoubt.runtime.errors import UserError


class Classifier(nn.Module):
    """A network that normalises its images: as its pretrained weights expect, else by the training images."""

    def __init__(self, network: Network, channels: int):
        super().__init__()
        mean, std = network.normalisation or ([0.0] * channels, [1.0] * channels)
        self.register_buffer("mean", torch.tensor(mean).view(-1, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(-1, 1, 1))
        self.body = network.body
        self._network = network

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """(n, C, H, W) in [0, 1] -> logits (n, K), float32 under any autocast."""
        size = self._network.input_size
        if size is not None:
            images = F.interpolate(images, size, mode="bilinear", antialias=True)
        return self.body((images - self.mean) / self.std).float()

    @torch.no_grad()
    def fit_input(self, images: torch.Tensor) -> None:
        """Set mean, deviation and whitening filters by training images (n, C, H, W) in [0, 1].

        Does nothing where weights were trained elsewhere, with a normalisation of their own.
        """
        if self._network.normalisation is not None:
            return
        self.mean.copy_(images.mean((0, 2, 3)).view(-1, 1, 1))
        self.std.copy_(images.std((0, 2, 3)).view(-1, 1, 1).clamp_min(1e-3))
        if hasattr(self.body, "fit_whitening"):
            self.body.fit_whitening((images - self.mean) / self.std)

    @property
    def input_pixels(self) -> int:
        """Return the number of pixels that images are resized to; 0 if they are not resized."""
        return math.prod(self._network.input_size) if self._network.input_size else 0

    def heads(self) -> list[nn.Module]:
        """Return the layers from features to logits; their outputs times `logit_scale` are the logits."""
        return [self.body.get_submodule(name) for name in self._network.heads]

    def last_layer(self, key: str) -> nn.Linear:
        """Return the linear layer from features to logits.

        Raises UserError, which names the config's key that asks for it, if the network has none, or two.
        """
        layers = self.heads()
        if len(layers) != 1 or not isinstance(layers[0], nn.Linear):
            what = " and ".join(type(layer).__name__ for layer in layers) or "nothing"
            name = type(self.body).__name__
            raise UserError(f"{key}: {name} ends in {what}, not in one linear layer; remove `{key}`")
        return layers[0]

    @property
    def logit_scale(self) -> float:
        return self._network.logit_scale

    def head_names(self) -> list[str]:
        """Return the names of the parameters of the last layer, from features to logits."""
        heads = tuple(f"body.{head}." for head in self._network.heads)
        return [name for name, _ in self.named_parameters() if name.startswith(heads)]

    def cam_layers(self) -> list[nn.Module]:
        """Return the modules whose outputs (n, c, h, w) class activation maps are made of, shallow to deep.

        Raises UserError if the network has none.
        """
        if not self._network.maps:
            raise UserError(f"{type(self.body).__name__} has no maps to make masks of; choose a convolutional teacher")
        return [self.body.get_submodule(name) for name in self._network.maps]


def build_model(
    network, n_classes: int, channels: int, size_px: int, seed: int = 0, disagreement: bool = False, **weights
) -> Classifier:
    """Build a network that is untrained, or pretrained elsewhere; equal arguments give equal weights.

    network: settings of one of config.yaml's `networks`, whose `family` names a module of `models.families`. size_px:
    side of the square images. disagreement: whether it has that further output, for which the network itself stays the
    same to the last bit. weights: a file as `weights`, and `keep_head`; the family convnet takes neither.
    Raises UserError if the family is unknown, the network does not fit the images, or its weights cannot be had.
    """
    family = methods.load("models.families", network.family)
    with torch.random.fork_rng(devices=[]):  # layers draw their weights from torch's global generator
        torch.manual_seed(randomness.key(seed, "weights") % 2**63)
        kind = methods.load("models", "disagreement").Disagreeing if disagreement else Classifier
        return kind(family.build(network, n_classes, channels, size_px, **weights), channels)
