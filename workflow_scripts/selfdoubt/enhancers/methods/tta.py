"""Test-time augmentation: the mean softmax over several views of an image."""

import math

import numpy as np
import torch

from selfdoubt.enhancers import views
from selfdoubt.enhancers.batches import Batch, EnhancedBatch


def enhance(batch: Batch, settings, generator: np.random.Generator) -> EnhancedBatch:
    """Return the log of the mean softmax over the clean image and random views; the predicted class is the mean's.

    A view is shifted by up to `shift_px` pixels, black moving in, and flipped or not. The images shown are the mean of
    the views, which no model classifies.
    """
    draws = torch.from_numpy(generator.random((len(batch.images), settings.n_views - 1, 3)))
    seen = [batch.images, *views.shifted(batch.images, draws, settings.shift_px, settings.flip)]
    logs = torch.stack([batch.logits(view).log_softmax(-1) for view in seen])  # (V, n, K)
    return EnhancedBatch(logs.logsumexp(0) - math.log(len(seen)), torch.stack(seen).mean(0), None)
