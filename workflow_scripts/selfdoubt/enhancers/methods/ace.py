"""ACE: an attack on confidence at unchanged accuracy (Galil & El-Yaniv 2021)."""

import numpy as np

from selfdoubt.enhancers import label_steps
from selfdoubt.enhancers.batches import Batch, EnhancedBatch


def enhance(batch: Batch, settings, generator: np.random.Generator) -> EnhancedBatch:
    """Make correct predictions less confident and incorrect ones more; the predicted class is kept."""
    return label_steps.step_by_correctness(batch, settings, raise_correct=False)
