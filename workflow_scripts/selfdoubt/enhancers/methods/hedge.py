"""Hedge defence: steps up the cross-entropy of all classes, summed (Wu et al. 2021).

The authors take 20 within 8 / 255, from a random point there. Few, small steps from the image itself are this
project's.
"""

import numpy as np

from selfdoubt.attacks import gradients
from selfdoubt.enhancers import steps
from selfdoubt.enhancers.batches import Batch, EnhancedBatch


def enhance(batch: Batch, settings, generator: np.random.Generator) -> EnhancedBatch:
    """Step away from all classes at once; the enhanced image is classified again."""
    epsilon = settings.epsilon_255 / 255
    start = gradients.random_start(batch.images, epsilon, generator) if settings.random_start else None
    return steps.ascend(batch, gradients.summed_cross_entropy(), settings, start)
