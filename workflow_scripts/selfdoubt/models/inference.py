"""What a trained model predicts of images, in batches of bounded size."""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from selfdoubt.runtime import randomness

_DROPOUT = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout)
LARGEST_BATCH = 500  # images; enough to keep two cores busy
BATCH_VALUES = 2**22  # of the images of a batch: the activations of a small network stay under 2 GB
_FIT_IMAGES, _FIT_VALUES = 10_000, 12_000_000  # at most, that a normalisation is fitted to


def batch_size_of(images, *models) -> int:
    """Return how many of these images (n, C, H, W) models are given at once; the same on every device."""
    _, channels, height, width = images.shape
    pixels = max([height * width, *(getattr(model, "input_pixels", 0) for model in models)])
    return max(1, min(LARGEST_BATCH, BATCH_VALUES // (channels * pixels)))


def predict_logits(model: nn.Module, images: np.ndarray) -> np.ndarray:
    """Return the logits of uint8 images (n, C, H, W): float32 (n, K), computed in float32.

    The model is put into evaluation mode and stays on its device.
    """
    return _in_batches(model, images, model)


def predict_disagreement(model: nn.Module, images: np.ndarray) -> np.ndarray:
    """Return the disagreement that a `disagreement.Disagreeing` predicts for uint8 (n, C, H, W): float32 (n,), nats."""
    return _in_batches(model, images, model.disagreement)


@torch.no_grad()
def _in_batches(model: nn.Module, images: np.ndarray, output: Callable) -> np.ndarray:
    model.eval()
    device = next(model.parameters()).device
    batch_size = batch_size_of(images, model)
    parts = [output(as_pixels(images[i : i + batch_size], device)) for i in range(0, len(images), batch_size)]
    return torch.cat(parts).cpu().numpy()


def has_dropout(model: nn.Module) -> bool:
    """Return whether a model has active dropout, so that stochastic passes differ."""
    return any(layer.p > 0 for layer in _dropout_layers(model))


@torch.no_grad()
def mc_dropout(model: nn.Module, images: np.ndarray, n_passes: int, seed: int) -> np.ndarray:
    """Return the negative entropy of the mean softmax of stochastic passes (Gal & Ghahramani 2016), (n,) float64.

    images: uint8 (n, C, H, W). n_passes: with dropout on and all else in evaluation mode. seed: of the dropout masks.
    The model is left in evaluation mode.
    """
    model.eval()
    device, found, batch_size = next(model.parameters()).device, [], batch_size_of(images, model)
    torch.manual_seed(seed % 2**63)  # dropout layers draw from torch's own generator
    for layer in _dropout_layers(model):
        layer.train()
    for start in range(0, len(images), batch_size):
        pixels = as_pixels(images[start : start + batch_size], device)
        mean = sum(model(pixels).double().softmax(-1) for _ in range(n_passes)) / n_passes
        found.append(torch.special.entr(mean).sum(-1).neg().cpu().numpy())
    model.eval()
    return np.concatenate(found)


def _dropout_layers(model: nn.Module) -> list[nn.Module]:
    return [layer for layer in model.modules() if isinstance(layer, _DROPOUT)]


def as_pixels(images: np.ndarray, device: torch.device) -> torch.Tensor:
    """Convert uint8 (n, C, H, W) to float32 in [0, 1], channels last in memory, on the device."""
    tensor = torch.tensor(images).to(device)
    return (tensor.float() / 255).contiguous(memory_format=torch.channels_last)


def sample_pixels(images: np.ndarray) -> torch.Tensor:
    """Return a random sample of images that a normalisation is fitted to: float32 (m, C, H, W) in [0, 1], on the CPU.

    images: uint8 (n, C, H, W); they may be sorted by class, therefore the sample is drawn from all of them. m: at most
    10,000.
    """
    n_fitted = min(_FIT_IMAGES, _FIT_VALUES // images[:1].size)
    rows = randomness.generator(0, "normalisation").permutation(len(images))[:n_fitted]
    return as_pixels(images[rows], torch.device("cpu"))
