"""Views: the confidence of the clean prediction is its mean probability over several views (Wang et al. 2019)."""

import numpy as np

from selfdoubt.enhancers import views
from selfdoubt.enhancers.batches import Batch, EnhancedBatch


def enhance(batch: Batch, settings, generator: np.random.Generator) -> EnhancedBatch:
    """Return the log of the mean softmax over the clean image and random views; the predicted class is kept."""
    seen = views.look(batch, settings, generator)
    return EnhancedBatch(seen.log_mean, seen.images, seen.predicted, seen.columns)
