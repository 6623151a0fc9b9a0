"""Pseudo-labels of pixels from a classifier: class activation maps, refined by the image's colours.

No annotation of pixels is used: a layer's activations show roughly where the evidence for the image's class is, the
evidence is averaged over pixels of similar colour, and pixels of intermediate evidence get no pseudo-label. A
conditional random field would be an alternative; pixel-adaptive averaging needs no library and works on batches.
"""

from functools import partial

import numpy as np
import torch
from torch.nn import functional as F

from selfdoubt.models import inference
from selfdoubt.runtime.errors import UserError
from selfdoubt.segmentation import map_views
from selfdoubt.segmentation.map_views import MapViews

_DILATIONS_PX = (1, 2, 4, 8, 12, 24)  # Araslanov & Roth's, as far as the image is more than twice as large
_CONTRAST = 0.1  # differences in colour are in units of this fraction of the neighbourhood's deviation
_REFINED_PIXELS = 50_000  # of a batch whose affinities fit into the cache
_TINY = 1e-8


def activation_maps(model, images: np.ndarray, labels: np.ndarray, views: MapViews | None = None) -> np.ndarray:
    """Return class activation maps, where the evidence for each image's label is: float32 (n, H, W) in [0, 1].

    LayerCAM (Jiang et al. 2021): relu(gradient) * relu(activation), summed over channels, of every layer in
    model.cam_layers() that is not too narrow; each scaled to a maximum of 1, enlarged, averaged, and scaled again. The
    gradient is that of the label's log-odds rather than of its logit, which counts evidence that all classes have in
    common. A map without any evidence is 0 everywhere. Computed in float32; the model is put into evaluation mode.

    images: uint8 (n, C, H, W). labels: (n,) integers, none -1. views: whose maps are averaged; None: the image alone,
    as the network sees it.
    Raises UserError if the model has no layer wide enough, or if its maps are not finite.
    """
    model.eval()
    device, size, parts = next(model.parameters()).device, images.shape[2:], []

    def of_view(logits_of, pixels, labels):
        with map_views.recording(model.cam_layers()) as outputs, torch.enable_grad():
            logits = logits_of(pixels)
        map_views.check_any(outputs, size)
        gradients = torch.autograd.grad(_log_odds(logits, labels).sum(), outputs)
        return _fuse(outputs, gradients, size)

    for part in map_views.slices_of(images, model, views or MapViews([1.0])):
        pixels, own = inference.as_pixels(images[part], device), torch.tensor(labels[part], device=device)
        if views is None:
            found = of_view(model, pixels, own)
        else:
            found = _below_one(map_views.mean_over(partial(of_view, labels=own), model, pixels, views))
        parts.append(found.cpu())
    maps = torch.cat(parts).numpy()
    if not np.isfinite(maps).all():
        raise UserError("teacher: its class activation maps are not finite; train it again with a lower learning rate")
    return maps


def _log_odds(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return log p / (1 - p) of the label, (n,), from logits (n, K): it has a gradient where p rounds to 1."""
    others = logits.scatter(1, labels[:, None], -torch.inf).logsumexp(1)
    return logits.gather(1, labels[:, None])[:, 0] - others


def _fuse(outputs, gradients, size: tuple[int, int]) -> torch.Tensor:
    enlarged = []
    for output, gradient in zip(outputs, gradients, strict=True):
        found = (gradient.relu() * output.detach().relu()).sum(1, keepdim=True)  # (n, 1, h, w)
        enlarged.append(F.interpolate(_below_one(found), size, mode="bilinear", align_corners=False))
    return _below_one(torch.stack(enlarged).mean(0))[:, 0]


def _below_one(maps: torch.Tensor) -> torch.Tensor:
    return maps / maps.amax((-2, -1), keepdim=True).clamp_min(_TINY)


def refine(maps: np.ndarray, images: np.ndarray, n_steps: int, device: torch.device | str = "cpu") -> np.ndarray:
    """Average maps over neighbours of similar colour, n_steps times: float32 (n, H, W), each rescaled to [0, 1].

    Pixel-adaptive mask refinement (Araslanov & Roth 2020): a pixel takes the mean of its neighbours in 3 x 3 windows
    of several dilations, weighted by softmax(-|difference in colour| / (0.1 deviation in the windows)). A map of one
    value becomes 0 everywhere.

    maps: float32 (n, H, W). images: uint8 (n, C, H, W).
    """
    dilations = [d for d in _DILATIONS_PX if 2 * d < min(maps.shape[1:])] or [1]
    parts = []
    n_at_once = max(1, _REFINED_PIXELS // (maps.shape[1] * maps.shape[2]))
    for first in range(0, len(maps), n_at_once):
        part = slice(first, first + n_at_once)
        refined = torch.tensor(maps[part], device=device).permute(1, 2, 0).contiguous()  # (H, W, n): shifts are fast
        if n_steps:
            colours = torch.tensor(images[part], device=device).permute(1, 2, 3, 0).float() / 255  # (C, H, W, n)
            affinities = _affinities(colours, dilations)
        for _ in range(n_steps):
            neighbours = _neighbours(refined, dilations)
            refined = torch.zeros_like(refined)
            for affinity, neighbour in zip(affinities, neighbours, strict=True):
                refined.addcmul_(affinity, neighbour)
        refined = refined.permute(2, 0, 1)
        parts.append(_below_one(refined - refined.amin((1, 2), keepdim=True)).cpu())
    return torch.cat(parts).contiguous().numpy()


def _affinities(colours: torch.Tensor, dilations: list[int]) -> torch.Tensor:
    """Return the weights (k, H, W, n) of each pixel's k neighbours, which sum to 1; colours: (C, H, W, n)."""
    likeness = 0
    for colour in colours:
        differences = torch.stack([neighbour - colour for neighbour in _neighbours(colour, dilations)])
        n_values = len(differences) + 1  # the pixel itself differs by 0
        total, squares = differences.sum(0), differences.square().sum(0)
        deviation = ((squares - total.square() / n_values) / (n_values - 1)).clamp_min(0).sqrt()
        likeness = likeness - differences.abs_() / (_CONTRAST * deviation + _TINY)
    return (likeness / len(colours)).softmax(0)


def _neighbours(values: torch.Tensor, dilations: list[int]) -> list[torch.Tensor]:
    """Return views of (H, W, n) shifted to each neighbour; the pixels of the edge are repeated beyond it."""
    height, width = values.shape[:2]
    reach = max(dilations)
    rows, columns = (torch.arange(-reach, n + reach, device=values.device).clamp(0, n - 1) for n in (height, width))
    padded = values[rows][:, columns]
    steps = [(i * d, j * d) for d in dilations for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0)]
    return [padded[reach + i : reach + i + height, reach + j : reach + j + width] for i, j in steps]


def pseudo_labels(maps: np.ndarray, foreground_above: float, background_below: float) -> np.ndarray:
    """Return the pseudo-label of each pixel, int8 (n, H, W): 1 object, 0 background, -1 none.

    An image without any object pixel gets no pseudo-labels: its background alone would teach that there are images
    without an object.
    """
    pseudo = np.where(maps > foreground_above, 1, np.where(maps < background_below, 0, -1)).astype(np.int8)
    pseudo[~(pseudo == 1).any((1, 2))] = -1
    return pseudo
