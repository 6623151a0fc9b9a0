"""ODIN: a signed step toward the predicted class, softmax at a temperature (Liang, Li & Srikant 2018).

The authors divide the sign of the gradient by the deviation that their images were normalised with, so that their
epsilon of .0014 is one of [0, 1] pixels, as here. They do not clamp pixels to [0, 1], also move those of gradient 0,
and take the largest probability of the moved image, where here it is that of the clean prediction, which is kept.
"""

import numpy as np

from selfdoubt.enhancers import steps
from selfdoubt.enhancers.batches import Batch, EnhancedBatch


def enhance(batch: Batch, settings, generator: np.random.Generator) -> EnhancedBatch:
    """Step up the log probability of the predicted class, which is kept; logits come divided by the temperature."""
    return steps.one_step(batch, *batch.ascent(settings.temperature, settings.precision), settings)
