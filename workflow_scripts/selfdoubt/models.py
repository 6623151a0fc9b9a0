"""Networks. Every model takes pixels in [0, 1] and normalises them itself, so attacks work on pixels.

Two families: `convnet`, a small network that learns fast on small images (after Jordan, "94% on CIFAR-10 in
3.29 seconds on a single GPU", 2024), and `timm`, any network of that library by its name.
"""

import difflib

import torch
from torch import nn

from selfdoubt import randomness
from selfdoubt.errors import UserError

_SMALL_PX = 64  # inputs up to this side get a stem without down-sampling
_WHITENING_PX = 2
_WHITENING_EPSILON = 5e-4
_WHITENED_IMAGES = 1000
_LOGIT_SCALE = 1 / 9


class Classifier(nn.Module):
    """A body behind a normalisation whose mean and standard deviation are those of the training images."""

    def __init__(self, body: nn.Module, channels: int):
        super().__init__()
        self.register_buffer("mean", torch.zeros(channels, 1, 1))
        self.register_buffer("std", torch.ones(channels, 1, 1))
        self.body = body

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """(n, C, H, W) in [0, 1] -> logits (n, K), float32 under any autocast."""
        return self.body((images - self.mean) / self.std).float()

    def fit_input(self, images: torch.Tensor) -> None:
        """Take mean, deviation and whitening filters from training images (n, C, H, W) in [0, 1]."""
        self.mean.copy_(images.mean((0, 2, 3)).view(-1, 1, 1))
        self.std.copy_(images.std((0, 2, 3)).view(-1, 1, 1).clamp_min(1e-3))
        if isinstance(self.body, ConvNet):
            self.body.fit_whitening((images - self.mean) / self.std)

    def head_names(self) -> list[str]:
        """The names of the parameters of the last layer, from features to logits."""
        if isinstance(self.body, ConvNet):
            heads = ("head",)
        else:
            heads = self.body.pretrained_cfg["classifier"]
            heads = (heads,) if isinstance(heads, str) else heads  # some have a second one, for distillation
        return [name for name, _ in self.named_parameters() if name.startswith(tuple(f"body.{h}." for h in heads))]

    def cam_layers(self) -> list[nn.Module]:
        """The modules whose outputs (n, c, h, w) class activation maps are made of, shallow to deep."""
        if isinstance(self.body, ConvNet):
            return list(self.body.blocks)
        found = [info["module"] for info in getattr(self.body, "feature_info", [])]
        if not found or hasattr(self.body, "patch_embed"):
            raise UserError(f"{type(self.body).__name__} has no maps to make masks of; choose a convolutional teacher")
        return [self.body.get_submodule(name) for name in found]


class ConvNet(nn.Module):
    """Fixed whitening convolution, three blocks, global maximum, linear layer scaled by 1/9."""

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
        patches = nn.functional.unfold(images[:_WHITENED_IMAGES], _WHITENING_PX)  # (n, C*4, positions)
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


def build_model(network, n_classes: int, channels: int, size_px: int, seed: int = 0) -> Classifier:
    """Build an untrained network; equal arguments give equal weights.

    network: settings of one of config.yaml's `networks`. size_px: side of the square images.
    Raises UserError if the network is unknown or does not fit the images.
    """
    with torch.random.fork_rng(devices=[]):  # layers draw their weights from torch's global generator
        torch.manual_seed(randomness.key(seed, "weights") % 2**63)
        return Classifier(FAMILIES[network.family](network, n_classes, channels, size_px), channels)


def _convnet(network, n_classes: int, channels: int, size_px: int) -> ConvNet:
    shortest = 2 ** len(network.widths) + 1
    if size_px < shortest:
        raise UserError(f"networks: a convnet of {len(network.widths)} blocks needs images of {shortest} px or more")
    return ConvNet(network.widths, n_classes, channels)


def _timm(network, n_classes: int, channels: int, size_px: int) -> nn.Module:
    import timm

    if not timm.is_model(network.name):
        near = ", ".join(difflib.get_close_matches(network.name, timm.list_models(), n=5))
        raise UserError(f"networks: timm has no model '{network.name}'; near it: {near or 'none'}")
    options = {"pretrained": network.pretrained, "num_classes": n_classes, "in_chans": channels}
    if timm.get_pretrained_cfg(network.name).fixed_input_size:  # transformers: the grid of patches is fixed
        options["img_size"] = size_px
        if size_px <= _SMALL_PX:
            options["patch_size"] = network.patch_px
    body = timm.create_model(network.name, **options)
    if size_px <= _SMALL_PX:
        _keep_resolution(body)
    return body


def _keep_resolution(body: nn.Module) -> None:
    """Give a convolutional stem stride 1 and no pooling, as the CIFAR variants of these networks have."""
    stem = body.get_submodule(_first_convolution(body))
    if isinstance(stem, nn.Conv2d) and stem.kernel_size[0] > stem.stride[0]:  # not a patch embedding
        stem.stride = (1, 1)
    if isinstance(getattr(body, "maxpool", None), nn.Module):
        body.maxpool = nn.Identity()


def _first_convolution(body: nn.Module) -> str:
    name = body.pretrained_cfg["first_conv"]
    return name if isinstance(name, str) else name[0]


FAMILIES = {"convnet": _convnet, "timm": _timm}
