"""Probabilities of being object, made to follow the colours and the edges of each image, as whole batches.

As in GrabCut (Rother, Kolmogorov & Blake 2004) the colours of the object and of what is behind it are learned from the
present probabilities, and decide the next ones; in place of its cuts of a graph, which take one image at a time, a
guided filter (He, Sun & Tang 2010) makes them follow edges.
"""

from itertools import combinations_with_replacement

import numpy as np
import torch
from torch.nn import functional as F

_BINS = {1: 64, 3: 12}  # of each channel, by the number of channels
_RARE = 1e-3  # fraction of a region's pixels: colours that are rarer give little evidence
_MOST = 3.0  # nats that a colour's evidence counts at most
_CERTAIN = 1e-3  # a probability is no nearer to 0 or 1
_RADIUS = 24  # of the filter: this part of the image's side
_FLAT = 1e-3  # variance of brightness in [0, 1], below which there is no edge
_PIXELS = 500_000  # of a batch


def refine(probability: np.ndarray, images: np.ndarray, n_steps: int, device: torch.device | str = "cpu") -> np.ndarray:
    """Return probabilities of being object after n_steps of their colours and the filter: float32 (n, H, W).

    Each step adds, to the log-odds of what is given, the logarithm of how much more frequent a pixel's colour is in the
    object than behind it, by the probabilities of the step before, and filters the result.

    probability: float32 (n, H, W) in [0, 1]. images: uint8 (n, C, H, W), C 1 or 3.
    """
    size, parts = max(1, _PIXELS // (images.shape[2] * images.shape[3])), []
    for start in range(0, len(images), size):
        pixels = torch.tensor(images[start : start + size]).to(device)
        given = _certain(torch.tensor(probability[start : start + size]).to(device))
        found, prior, guide = given, given.logit(), _Guide(pixels.float() / 255)
        bins = _bins_of(pixels)
        for _ in range(n_steps):
            found = _certain(guide.filter((prior + _evidence(bins, found, images.shape[1])).sigmoid()))
        parts.append(found.cpu())
    return torch.cat(parts).numpy()


def _certain(probability: torch.Tensor) -> torch.Tensor:
    return probability.clamp(_CERTAIN, 1 - _CERTAIN)


# ---- colours ----


def _bins_of(pixels: torch.Tensor) -> torch.Tensor:
    """Return the bin of each pixel's colour, (n, H, W), of uint8 (n, C, H, W)."""
    n_bins, found = _BINS[pixels.shape[1]], 0
    for channel in pixels.unbind(1):
        found = found * n_bins + (channel.float() * ((n_bins - 1) / 255)).round().long()
    return found


def _evidence(bins: torch.Tensor, probability: torch.Tensor, channels: int) -> torch.Tensor:
    """Return log p(colour | object) / p(colour | background) of each pixel, (n, H, W)."""
    inside, outside = (_frequencies(bins, each, channels) for each in (probability, 1 - probability))
    ratio = ((inside + _RARE) / (outside + _RARE)).log().clamp(-_MOST, _MOST)  # (n, bins)
    return ratio.gather(1, bins.flatten(1)).view_as(probability)


def _frequencies(bins: torch.Tensor, weight: torch.Tensor, channels: int) -> torch.Tensor:
    """Return how frequent each colour is, (n, bins), weighted, and made smooth over neighbouring colours."""
    n, n_bins = len(bins), _BINS[channels]
    counts = torch.zeros(n, n_bins**channels, device=bins.device).scatter_add_(1, bins.flatten(1), weight.flatten(1))
    counts = counts.view(n, *[n_bins] * channels)
    for axis in range(1, channels + 1):
        moved = F.pad(counts.movedim(axis, -1), [1, 1])
        counts = (0.25 * moved[..., :-2] + 0.5 * moved[..., 1:-1] + 0.25 * moved[..., 2:]).movedim(-1, axis)
    return counts.flatten(1) / weight.sum((1, 2))[:, None]


# ---- edges ----


class _Guide:
    """Filters maps so that they change where images (n, C, H, W) in [0, 1] do."""

    def __init__(self, images: torch.Tensor):
        self._images, self._radius = images, max(1, min(images.shape[2:]) // _RADIUS)
        self._mean = self._box(images)
        n, channels, height, width = images.shape
        covariance = torch.empty(n, height, width, channels, channels, device=images.device)
        for i, j in combinations_with_replacement(range(channels), 2):
            product = self._box(images[:, i : i + 1] * images[:, j : j + 1])[:, 0]
            covariance[..., i, j] = covariance[..., j, i] = product - self._mean[:, i] * self._mean[:, j]
        self._inverse = _inverse(covariance + _FLAT * torch.eye(channels, device=images.device))

    def filter(self, maps: torch.Tensor) -> torch.Tensor:
        """Return maps (n, H, W), each pixel the mean of what the linear fits of its windows predict from its colour."""
        mean = self._box(maps[:, None])
        shared = self._box(self._images * maps[:, None]) - self._mean * mean  # (n, C, H, W)
        slope = (self._inverse @ shared.movedim(1, -1)[..., None])[..., 0].movedim(-1, 1)
        offset = mean - (slope * self._mean).sum(1, keepdim=True)
        return ((self._box(slope) * self._images).sum(1, keepdim=True) + self._box(offset))[:, 0]

    def _box(self, values: torch.Tensor) -> torch.Tensor:
        """Return the mean of each pixel's window, cut off at the border."""
        side = 2 * self._radius + 1
        rows = F.avg_pool2d(values, (side, 1), 1, (self._radius, 0), count_include_pad=False)
        return F.avg_pool2d(rows, (1, side), 1, (0, self._radius), count_include_pad=False)


def _inverse(matrices: torch.Tensor) -> torch.Tensor:
    """Return the inverse of symmetric matrices (..., C, C), C 1 or 3, by cofactors: many times faster than a solver."""
    if matrices.shape[-1] == 1:
        return 1 / matrices
    first, second, third = matrices.unbind(-1)
    columns = [torch.linalg.cross(a, b) for a, b in ((second, third), (third, first), (first, second))]
    return torch.stack(columns, -2) / (first * columns[0]).sum(-1)[..., None, None]
