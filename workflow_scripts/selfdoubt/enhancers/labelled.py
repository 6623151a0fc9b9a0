"""Methods that read the true labels, of the test split too: bounds to hold others against, never contenders.

Both are ACE (Galil & El-Yaniv 2021), one as it is and one reversed: a step along or against the gradient of the
prediction's confidence, made smaller until the prediction stays. No answer to an OOD image is right, so there the
oracle lowers confidence and the attack raises it.
"""

import numpy as np
import torch
from torch import Tensor

from selfdoubt.enhancers.batches import Answer, Batch


def oracle(batch: Batch, settings, generator: np.random.Generator) -> Answer:
    """ACE reversed: surer where the model is right, less sure where it is wrong; label kept."""
    return _stepped(batch, settings, surer_where_right=True)


def ace(batch: Batch, settings, generator: np.random.Generator) -> Answer:
    """The attack: less sure where the model is right, surer where it is wrong, at unchanged accuracy; label kept."""
    return _stepped(batch, settings, surer_where_right=False)


def _stepped(batch: Batch, settings, surer_where_right: bool) -> Answer:
    signs, predicted = batch.ascent(1.0, settings.precision)
    surer = (predicted == batch.labels) == surer_where_right
    step = settings.epsilon_255 / 255 * torch.where(surer[:, None, None, None], signs, -signs)
    images = _largest_kept(batch, step, predicted, settings.n_halvings)
    return Answer(batch.ask(images), images, predicted)


def _largest_kept(batch: Batch, step: Tensor, predicted: Tensor, n_halvings: int) -> Tensor:
    """Return images moved by the first of step, step / 2, step / 4, … that leaves the prediction; else not moved."""
    images, left = batch.images.clone(), torch.arange(len(step), device=step.device)
    for i in range(n_halvings + 1):
        moved = (batch.images[left] + step[left] / 2**i).clamp_(0, 1)
        kept = batch.ask(moved).argmax(1) == predicted[left]
        images[left[kept]] = moved[kept]
        left = left[~kept]
        if len(left) == 0:
            break
    return images


LABELLED = {"oracle": oracle, "ace": ace}
