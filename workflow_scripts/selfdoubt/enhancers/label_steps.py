"""A step whose direction depends on the true label: for upper bounds and attacks only."""

import torch
from torch import Tensor

from selfdoubt.enhancers.batches import Batch, EnhancedBatch


def step_by_correctness(batch: Batch, settings, raise_correct: bool) -> EnhancedBatch:
    """Step along or against the gradient of the prediction's confidence, depending on whether it is correct.

    raise_correct: correct predictions become more confident and incorrect ones less; otherwise the reverse. The step is
    halved until the predicted class stays. Every prediction of an OOD image (label -1) is incorrect.
    settings: epsilon_255, n_halvings, precision.
    """
    signs, predicted = batch.ascent(1.0, settings.precision)
    raised = (predicted == batch.labels) == raise_correct
    step = settings.epsilon_255 / 255 * torch.where(raised[:, None, None, None], signs, -signs)
    images = _largest_kept(batch, step, predicted, settings.n_halvings)
    return EnhancedBatch(batch.logits(images), images, predicted)


def _largest_kept(batch: Batch, step: Tensor, predicted: Tensor, n_halvings: int) -> Tensor:
    """Return images moved by the first of step, step / 2, step / 4, … that keeps the predicted class; else unmoved."""
    images, left = batch.images.clone(), torch.arange(len(step), device=step.device)
    for i in range(n_halvings + 1):
        moved = (batch.images[left] + step[left] / 2**i).clamp_(0, 1)
        kept = batch.logits(moved).argmax(1) == predicted[left]
        images[left[kept]] = moved[kept]
        left = left[~kept]
        if len(left) == 0:
            break
    return images
