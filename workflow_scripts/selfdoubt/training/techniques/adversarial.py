"""Adversarial training: the images of a step are moved to where their loss is larger (Madry et al., ICLR 2018)."""

from dataclasses import replace

from selfdoubt.attacks import gradients
from selfdoubt.runtime import randomness
from selfdoubt.training.technique import Base


class Technique(Base):
    """The loss is that of images within epsilon of the batch's, found from a random start by signed steps.

    Each step lowers the log odds of the label, at the weights as they are, in evaluation mode. Madry et al. take 7
    steps of 2/255 for an epsilon of 8/255; Wong et al. (ICLR 2020) one of 1.25 epsilon. `signs: random`, the control,
    moves each pixel up or down by epsilon.
    """

    def __init__(self, settings, model, stream):
        super().__init__(settings, model, stream)
        self.passes_before = settings.n_steps or 0

    def extended(self, batch, step):
        found, epsilon = self._settings, self._settings.epsilon_255 / 255
        generator = randomness.generator(self._stream.seed, "adversarial", step, self._stream.ranks.rank)
        if found.signs == "random":
            return replace(batch, images=gradients.random_signs(batch.images, epsilon, generator))
        odds = gradients.log_odds(batch.labels)
        start = gradients.project(gradients.random_start(batch.images, epsilon, generator), batch.images, epsilon)
        steps = found.n_steps, found.step_255 / 255, self._stream.recipe.precision
        moved = gradients.ascend(self._model, batch.images, lambda logits: -odds(logits), epsilon, *steps, start)
        return replace(batch, images=moved)
