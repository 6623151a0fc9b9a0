"""DOCTOR's input perturbation: a signed step up D_alpha = (1 - sum p^2) / sum p^2 (Granese et al. 2021)."""

import numpy as np

from selfdoubt.attacks import gradients
from selfdoubt.enhancers import steps
from selfdoubt.enhancers.batches import Batch, EnhancedBatch


def enhance(batch: Batch, settings, generator: np.random.Generator) -> EnhancedBatch:
    """Step toward less confidence; the predicted class is kept, logits come divided by the temperature.

    The score `gini` of these logits is sum p^2, which orders images as -D_alpha does.
    """
    doubt = gradients.log_d_alpha(settings.temperature)
    return steps.one_step(batch, *batch.step(doubt, ("doctor", settings.temperature), settings.precision), settings)
