"""Where the object is by what a classifier's features have in common, whatever the label: maps for pseudo-labels.

The evidence for a class (`activation_maps`) is where classes differ, which on photographs of clothes is between the
legs of trousers rather than on them. Features of the object differ from those of what is behind it; so each image's
own main direction of variation parts the two. After the deep descriptor transforming of Wei et al. (2019), which takes
that direction of many images of a class together; a single image's needs no images of one kind.
"""

import numpy as np
import torch
from torch.nn import functional as F

from selfdoubt.models import inference
from selfdoubt.runtime.errors import UserError
from selfdoubt.segmentation import map_views

_DEEPEST = 2  # layers: shallower ones show edges
_TINY = 1e-6


@torch.no_grad()
def feature_maps(model, images: np.ndarray, views: map_views.MapViews) -> np.ndarray:
    """Return how object-like the features of each pixel are, float32 (n, H, W) in [0, 1], 1/2 being undecided.

    Of the deepest two layers in model.cam_layers() that are not too narrow, features of unit length are projected onto
    their first principal component within the image; its sign is that by which it goes along with the deepest layer's
    sum of absolute activations, which is larger on objects. Projections are divided by their deviation, enlarged, and
    averaged over layers and views. Computed in float32; the model is put into evaluation mode.

    images: uint8 (n, C, H, W).
    Raises UserError if the model has no layer wide enough, or if its maps are not finite.
    """
    model.eval()
    device, size, parts = next(model.parameters()).device, images.shape[2:], []

    def of_view(logits_of, pixels):
        with map_views.recording(model.cam_layers()) as outputs:
            logits_of(pixels)
        map_views.check_any(outputs, size)
        return _projected(outputs[-_DEEPEST:], size)

    for part in map_views.slices_of(images, model, views):
        found = map_views.mean_over(of_view, model, inference.as_pixels(images[part], device), views)
        parts.append(found.sigmoid().cpu())
    maps = torch.cat(parts).numpy()
    if not np.isfinite(maps).all():
        raise UserError("teacher: its feature maps are not finite; train it again with a lower learning rate")
    return maps


def _projected(outputs: list[torch.Tensor], size: tuple[int, int]) -> torch.Tensor:
    """Return the mean over layers (n, c, h, w) of standardised projections, (n, H, W)."""
    energy = outputs[-1].abs().sum(1, keepdim=True)  # (n, 1, h, w)
    found = []
    for output in outputs:
        alike = F.interpolate(energy, output.shape[2:], mode="bilinear", align_corners=False)[:, 0]
        component = _first_component(output, alike)[:, None]
        found.append(F.interpolate(component, size, mode="bilinear", align_corners=False))
    return torch.cat(found, 1).mean(1)


def _first_component(features: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Return the projection of features (n, c, h, w) onto their first component, (n, h, w), of deviation 1.

    like: (n, h, w), with which it is to be correlated positively.
    """
    n, _, height, width = features.shape
    rows = F.normalize(features.flatten(2).transpose(1, 2), dim=2)  # (n, h w, c)
    rows = rows - rows.mean(1, keepdim=True)
    if height * width <= features.shape[1]:
        values = torch.linalg.eigh(rows @ rows.mT).eigenvectors[..., -1]
    else:
        values = (rows @ torch.linalg.eigh(rows.mT @ rows).eigenvectors[..., -1:])[..., 0]
    like = like.flatten(1)
    sign = (values * (like - like.mean(1, keepdim=True))).sum(1, keepdim=True).sign()
    values = sign * (values - values.mean(1, keepdim=True))
    return (values / values.std(1, keepdim=True, correction=0).clamp_min(_TINY)).view(n, height, width)
