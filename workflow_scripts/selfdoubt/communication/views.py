"""What models predict of several views of an image."""

from types import SimpleNamespace

import numpy as np
import torch
from scipy.special import logsumexp
from torch import nn

from selfdoubt.communication.probabilities import log_probabilities
from selfdoubt.enhancers.views import drawn
from selfdoubt.models import inference


def mean_over_views(
    model: nn.Module, images: np.ndarray, clean_logits: np.ndarray, settings, generator: np.random.Generator
) -> np.ndarray:
    """Return the log of a model's mean probability over `n_views` views, float64 (n, K).

    images: uint8 (n, C, H, W). clean_logits: (n, K) of the clean images, which are one of the views, so
    that n_views - 1 forwards are taken.
    """
    model.eval()
    device, size = next(model.parameters()).device, inference.batch_size_of(images, model)
    family = "noise" if settings.views == "noise" else "geometry"
    found, kind = log_probabilities(clean_logits), SimpleNamespace(**vars(settings) | {"family": family})
    for start in range(0, len(images), size):
        part = slice(start, start + size)
        views = drawn(inference.as_pixels(images[part], device), kind, generator)
        with torch.no_grad():
            each = [log_probabilities(model(view).float().cpu().numpy()) for view in views]
        found[part] = logsumexp([found[part], *each], axis=0) - np.log(settings.n_views)
    return found
