"""Anti-adversary: steps toward the predicted class (Alfarra et al. 2022).

The authors take two of .15 of the pixel range, without a bound: leave epsilon_255 out for these. Small
steps within epsilon are this project's.
"""

import numpy as np

from selfdoubt.attacks import gradients
from selfdoubt.enhancers import steps
from selfdoubt.enhancers.batches import Batch, EnhancedBatch


def enhance(batch: Batch, settings, generator: np.random.Generator) -> EnhancedBatch:
    """Step up the log probability of the clean prediction; the enhanced image is classified again."""
    return steps.ascend(batch, gradients.log_odds(batch.predicted), settings)
