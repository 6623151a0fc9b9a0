"""ODIN: a signed step toward the predicted class, softmax at a temperature (Liang, Li & Srikant 2018)."""

import numpy as np

from selfdoubt.enhancers import steps
from selfdoubt.enhancers.batches import Answer, Batch


def enhance(batch: Batch, settings, generator: np.random.Generator) -> Answer:
    """Step up the log probability of the predicted class, which is kept; logits come divided by the temperature."""
    return steps.one_step(batch, *batch.ascent(settings.temperature, settings.precision), settings)
