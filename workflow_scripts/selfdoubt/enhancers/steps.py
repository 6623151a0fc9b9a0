"""Steps along a gradient's sign that several methods take."""

from torch import Tensor

from selfdoubt.attacks import gradients
from selfdoubt.enhancers.batches import Batch, EnhancedBatch


def one_step(batch: Batch, signs: Tensor, predicted: Tensor, settings) -> EnhancedBatch:
    """Move each pixel by epsilon along its sign; report logits divided by the temperature and the predictions as given.

    signs: (n, C, H, W) of -1, 0, 1. predicted: (n,) classes. settings: epsilon_255, temperature.
    """
    images = (batch.images + settings.epsilon_255 / 255 * signs).clamp_(0, 1)
    return EnhancedBatch(batch.logits(images) / settings.temperature, images, predicted)


def ascend(batch: Batch, objective: gradients.Objective, settings, start: Tensor | None = None) -> EnhancedBatch:
    """Raise an objective by n_steps steps of step_255 each; the enhanced image is classified again.

    settings: n_steps, precision; epsilon_255, without which nothing bounds the images; step_255, without which steps
    are of epsilon / n_steps. start: where the first step begins, at the images if None.
    """
    bound, step_255 = (getattr(settings, key, None) for key in ("epsilon_255", "step_255"))
    step = (bound / settings.n_steps if step_255 is None else step_255) / 255
    budget = None if bound is None else bound / 255, settings.n_steps, step
    images = gradients.ascend(batch.model, batch.images, objective, *budget, settings.precision, start)
    return EnhancedBatch(batch.logits(images), images, None)
