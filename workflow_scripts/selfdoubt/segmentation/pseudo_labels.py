"""What a segmenter learns from: pseudo-labels of pixels, by a teacher's maps, or by the segmenter of the round before.

Maps, then their refinement by the image's colours, then two thresholds between which pixels have no pseudo-label. With
`object_quantile` maps are turned into probabilities first, by their ranks within the class: a threshold on a map itself
means something else for each class and each image, as maps are scaled to their own maximum.
"""

import numpy as np
import torch

from selfdoubt.segmentation import activation_maps, colours, feature_maps, map_views, segmenter

_CERTAIN = 1e-3  # a rank is no nearer to 0 or 1


def of_teacher(teacher, images: np.ndarray, labels: np.ndarray, settings, device: torch.device) -> np.ndarray:
    """Return the pseudo-labels by a classifier's maps, int8 (n, H, W): 1 object, 0 background, -1 none.

    images: uint8 (n, C, H, W). labels: (n,). settings: of one of config.yaml's `segmenters`.
    """
    scales, upside_down = (getattr(settings, key, None) for key in ("map_scales", "map_upside_down"))
    views = map_views.MapViews(scales or [1.0], bool(upside_down)) if scales or upside_down else None
    if getattr(settings, "maps", None) == "features":
        maps = feature_maps.feature_maps(teacher, images, views or map_views.MapViews([1.0]))
    else:
        maps = activation_maps.activation_maps(teacher, images, labels, views)
    maps = activation_maps.refine(maps, images, settings.refinement_steps, device)
    quantile = getattr(settings, "object_quantile", None)
    return _thresholded(maps if quantile is None else by_ranks(maps, labels, quantile), images, settings, device)


def of_segmenter(model: segmenter.Segmenter, images: np.ndarray, settings, device: torch.device) -> np.ndarray:
    """Return the pseudo-labels by a trained segmenter's probabilities; arguments and results as of `of_teacher`."""
    return _thresholded(segmenter.probabilities(model, images), images, settings, device)


def by_ranks(maps: np.ndarray, labels: np.ndarray, quantile: float) -> np.ndarray:
    """Return probabilities of being object, float32 (n, H, W), by the rank of each pixel among those of its class.

    A rank r in [0, 1] has the odds r / (1 - r) times (1 - quantile) / quantile: probability 1/2 at that quantile.
    """
    found = np.empty_like(maps)
    for label in np.unique(labels):
        own = maps[labels == label]
        ranks = np.empty(own.size, np.float32)
        ranks[np.argsort(own, axis=None, kind="stable")] = (np.arange(own.size) + 0.5) / own.size
        ranks = ranks.clip(_CERTAIN, 1 - _CERTAIN)
        odds = ranks / (1 - ranks) * ((1 - quantile) / quantile)
        found[labels == label] = (odds / (1 + odds)).reshape(own.shape)
    return found


def _thresholded(maps: np.ndarray, images: np.ndarray, settings, device: torch.device) -> np.ndarray:
    if n_steps := getattr(settings, "colour_steps", None):
        maps = colours.refine(maps, images, n_steps, device)
    return activation_maps.pseudo_labels(maps, settings.foreground_above, settings.background_below)
