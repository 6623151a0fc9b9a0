"""What models predict of several views of an image."""

import numpy as np
import torch
from scipy.special import logsumexp
from torch import nn

from selfdoubt.communication.probabilities import log_probabilities
from selfdoubt.enhancers.views import noisy, shifted
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
    found = log_probabilities(clean_logits)
    for start in range(0, len(images), size):
        part = slice(start, start + size)
        views = _views(inference.as_pixels(images[part], device), settings, generator)
        with torch.no_grad():
            each = [log_probabilities(model(view).float().cpu().numpy()) for view in views]
        found[part] = logsumexp([found[part], *each], axis=0) - np.log(settings.n_views)
    return found


def _views(pixels: torch.Tensor, settings, generator: np.random.Generator) -> list[torch.Tensor]:
    n = settings.n_views - 1
    if settings.views == "noise":
        return noisy(pixels, n, settings.noise_255 / 255, generator)
    return shifted(pixels, n, settings.shift_px, settings.flip, generator)
