"""Methods that fit nothing and read no labels: (batch, one value of each setting, generator) -> Answer."""

import numpy as np

from selfdoubt.attacks import gradients
from selfdoubt.enhancers.batches import Answer, Batch


def odin(batch: Batch, settings, generator: np.random.Generator) -> Answer:
    """One step towards the prediction, whose gradient and confidence are taken at a temperature; label kept.

    Liang, Li & Srikant (2018). The logits come divided by the temperature, so that their softmax is ODIN's.
    """
    return _stepped(batch, *batch.ascent(settings.temperature, settings.precision), settings)


def doctor(batch: Batch, settings, generator: np.random.Generator) -> Answer:
    """One step up DOCTOR's D_alpha = (1 - sum p^2) / sum p^2, at a temperature, so that the model doubts; label kept.

    Granese et al. (2021). The score `gini` of these logits is sum p^2, which falls where D_alpha rises.
    """
    doubt = gradients.log_d_alpha(settings.temperature)
    return _stepped(batch, *batch.step(doubt, ("doctor", settings.temperature), settings.precision), settings)


def _stepped(batch: Batch, signs, predicted, settings) -> Answer:
    images = (batch.images + settings.epsilon_255 / 255 * signs).clamp_(0, 1)
    return Answer(batch.ask(images) / settings.temperature, images, predicted)


def anti_adversary(batch: Batch, settings, generator: np.random.Generator) -> Answer:
    """Steps towards the prediction, each an equal part of epsilon; the label is the enhanced image's own.

    Alfarra et al. (2022).
    """
    return _ascended(batch, gradients.log_odds(batch.predicted), settings)


def hedge(batch: Batch, settings, generator: np.random.Generator) -> Answer:
    """Steps up the summed cross-entropy of all classes; the label is the enhanced image's own.

    Wu et al. (2021), who begin at a random point within epsilon; here the clean image is the beginning.
    """
    return _ascended(batch, gradients.summed_cross_entropy(), settings)


def _ascended(batch: Batch, objective: gradients.Objective, settings) -> Answer:
    epsilon, n_steps = settings.epsilon_255 / 255, settings.n_steps
    steps = n_steps, epsilon / n_steps
    images = gradients.ascend(batch.model, batch.images, objective, epsilon, *steps, settings.precision)
    return Answer(batch.ask(images), images, None)


def random_sign(batch: Batch, settings, generator: np.random.Generator) -> Answer:
    """The placebo: a step of equal size whose direction knows nothing, at a temperature; label kept."""
    images = gradients.random_signs(batch.images, settings.epsilon_255 / 255, generator)
    return Answer(batch.ask(images) / settings.temperature, images, batch.predicted)


STEPS = {
    "odin": odin,
    "doctor": doctor,
    "anti-adversary": anti_adversary,
    "hedge": hedge,
    "random-sign": random_sign,
}
