"""Networks of segmentation-models-pytorch, from images to maps of the same size."""

import difflib
import inspect

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from selfdoubt.runtime import randomness
from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.architectures import ARCHITECTURES


def build(settings, channels: int, n_outputs: int, seed: int, place: str) -> nn.Module:
    """Build an untrained network; equal arguments give equal weights.

    settings: architecture, encoder, encoder_depth, decoder_channels. Architectures without such a choice ignore
    decoder_channels; those whose decoder has one width take the first. place: in the config, for errors.
    Raises UserError if segmentation-models-pytorch has no such network or cannot build it.
    """
    import segmentation_models_pytorch as smp

    builders = {name: getattr(smp, name) for name in ARCHITECTURES if hasattr(smp, name)}
    if settings.architecture not in builders:
        raise UserError(f"{place}: architecture '{settings.architecture}' is not one of {', '.join(builders)}")
    _check_encoder(settings.encoder, place)
    options = {"encoder_name": settings.encoder, "encoder_weights": None, "encoder_depth": settings.encoder_depth}
    if widths := inspect.signature(builders[settings.architecture]).parameters.get("decoder_channels"):
        one_width = isinstance(widths.default, int)
        options["decoder_channels"] = settings.decoder_channels[0] if one_width else list(settings.decoder_channels)
    try:
        with torch.random.fork_rng(devices=[]):  # layers draw their weights from torch's global generator
            torch.manual_seed(randomness.key(seed, "weights") % 2**63)
            return smp.create_model(settings.architecture, in_channels=channels, classes=n_outputs, **options)
    except (AssertionError, AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError) as error:
        raise UserError(f"{place}: cannot build {settings.architecture} with {options}: {error}") from None


def freeze_unused(model: nn.Module, images: Tensor, place: str) -> None:
    """Freeze parameters that outputs do not depend on, such as an encoder's stages beyond its depth; in mode eval.

    images: (n, C, H, W), as the model takes them. place: as of `build`. Raises UserError if it cannot take them.
    """
    try:
        found = model.eval()(images)
    except (KeyError, RuntimeError, ValueError) as error:
        size, reason = " x ".join(map(str, images.shape[2:])), str(error).split("\n")[0]
        raise UserError(f"{place}: the network cannot take {size} px ({reason}); choose another encoder") from None
    weights = list(model.parameters())
    for weight, gradient in zip(weights, torch.autograd.grad(found.sum(), weights, allow_unused=True), strict=True):
        weight.requires_grad_(gradient is not None)


def padded(network: nn.Module, images: Tensor) -> Tensor:
    """Return what a network makes of images (n, C, H, W) padded to sides that it can process: (n, n_outputs, H, W).

    Some decoders put out maps of another size, those that are made for one depth of the encoder: these are resized.
    """
    height, width = images.shape[2:]
    (top, bottom), (left, right) = (_margins(length, network.encoder.output_stride) for length in (height, width))
    larger = F.pad(images, [left, right, top, bottom], mode="replicate")
    found = network(larger.contiguous(memory_format=torch.channels_last))
    if found.shape[2:] != larger.shape[2:]:
        found = F.interpolate(found, larger.shape[2:], mode="bilinear", antialias=True)
    return found[:, :, top : top + height, left : left + width]


def _margins(length: int, stride: int) -> tuple[int, int]:
    missing = -length % stride
    return missing // 2, missing - missing // 2


def _check_encoder(encoder: str, place: str) -> None:
    import segmentation_models_pytorch as smp
    import timm

    if encoder in smp.encoders.get_encoder_names() or (encoder.startswith("tu-") and timm.is_model(encoder[3:])):
        return
    known = smp.encoders.get_encoder_names() + [f"tu-{name}" for name in timm.list_models()]
    near = [f"tu-{encoder}"] if timm.is_model(encoder) else difflib.get_close_matches(encoder, known)
    raise UserError(f"{place}: encoder '{encoder}' does not exist; near it: {', '.join(near) or 'none'}")
