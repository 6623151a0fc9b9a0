"""Random signs: the placebo of a signed gradient step, of the same size and temperature."""

import numpy as np

from selfdoubt.attacks import gradients
from selfdoubt.enhancers.batches import Batch, EnhancedBatch


def enhance(batch: Batch, settings, generator: np.random.Generator) -> EnhancedBatch:
    """Move each pixel up or down by epsilon, at random; the predicted class of the clean image is kept."""
    images = gradients.random_signs(batch.images, settings.epsilon_255 / 255, generator)
    return EnhancedBatch(batch.logits(images) / settings.temperature, images, batch.predicted)
