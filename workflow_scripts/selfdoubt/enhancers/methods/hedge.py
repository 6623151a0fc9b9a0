"""Hedge defence: steps up the cross-entropy of all classes, summed (Wu et al. 2021).

The paper begins at a random point within epsilon; here the clean image is the beginning.
"""

import numpy as np

from selfdoubt.attacks import gradients
from selfdoubt.enhancers import steps
from selfdoubt.enhancers.batches import Answer, Batch


def enhance(batch: Batch, settings, generator: np.random.Generator) -> Answer:
    """Step away from all classes at once; the enhanced image is classified again."""
    return steps.ascend(batch, gradients.summed_cross_entropy(), settings)
