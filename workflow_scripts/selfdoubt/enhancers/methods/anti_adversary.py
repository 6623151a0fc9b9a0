"""Anti-adversary: steps toward the predicted class (Alfarra et al. 2022)."""

import numpy as np

from selfdoubt.attacks import gradients
from selfdoubt.enhancers import steps
from selfdoubt.enhancers.batches import Answer, Batch


def enhance(batch: Batch, settings, generator: np.random.Generator) -> Answer:
    """Step up the log probability of the clean prediction; the enhanced image is classified again."""
    return steps.ascend(batch, gradients.log_odds(batch.predicted), settings)
