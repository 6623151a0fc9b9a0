"""Test-time augmentation: the mean softmax over several views of an image."""

import math

import numpy as np
import torch
from torch import Tensor

from selfdoubt.enhancers.batches import Batch, EnhancedBatch
from selfdoubt.training import augmentation


def enhance(batch: Batch, settings, generator: np.random.Generator) -> EnhancedBatch:
    """Return the log of the mean softmax over the clean image and random views; the predicted class is the mean's.

    A view is shifted by up to `shift_px` pixels, black moving in, and flipped or not. The images shown are the mean of
    the views, which no model classifies.
    """
    views = [batch.images, *_drawn(batch.images, settings, generator)]
    logs = torch.stack([batch.logits(view).log_softmax(-1) for view in views])  # (V, n, K)
    return EnhancedBatch(logs.logsumexp(0) - math.log(len(views)), torch.stack(views).mean(0), None)


def _drawn(images: Tensor, settings, generator: np.random.Generator) -> list[Tensor]:
    """Return n_views - 1 random views (n, C, H, W); draws go image by image, so that the batch size changes nothing."""
    n, reach = len(images), settings.shift_px
    draws = torch.from_numpy(generator.random((n, settings.n_views - 1, 3)))
    shifts = (draws[..., :2] * (2 * reach + 1)).long()  # of the window, 0 to 2 reach
    flipped = (draws[..., 2] < 0.5) & settings.flip
    windows, index = augmentation.pad(images, reach), torch.arange(n, device=images.device)
    moves = [part.to(images.device) for part in (shifts[..., 0], shifts[..., 1], flipped)]  # each (n, V - 1)
    views = [augmentation.Views(*(part[:, i] for part in moves)) for i in range(settings.n_views - 1)]
    return [augmentation.view(windows, index, moved) for moved in views]
