"""Steps along a gradient's sign that several methods take."""

from torch import Tensor

from selfdoubt.attacks import gradients
from selfdoubt.enhancers.batches import Answer, Batch


def one_step(batch: Batch, signs: Tensor, predicted: Tensor, settings) -> Answer:
    """Move each pixel by epsilon along its sign; report logits divided by the temperature and the predictions as given.

    signs: (n, C, H, W) of -1, 0, 1. predicted: (n,) classes. settings: epsilon_255, temperature.
    """
    images = (batch.images + settings.epsilon_255 / 255 * signs).clamp_(0, 1)
    return Answer(batch.logits(images) / settings.temperature, images, predicted)


def ascend(batch: Batch, objective: gradients.Objective, settings) -> Answer:
    """Raise an objective by n_steps steps of epsilon / n_steps each; the enhanced image is classified again.

    settings: epsilon_255, n_steps, precision.
    """
    epsilon, n_steps = settings.epsilon_255 / 255, settings.n_steps
    steps = n_steps, epsilon / n_steps
    images = gradients.ascend(batch.model, batch.images, objective, epsilon, *steps, settings.precision)
    return Answer(batch.logits(images), images, None)
