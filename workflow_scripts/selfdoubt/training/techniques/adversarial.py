"""Adversarial training: the images of a step are moved to where their loss is larger (Madry et al., ICLR 2018)."""

from dataclasses import replace

import numpy as np
import torch

from selfdoubt.attacks import gradients
from selfdoubt.runtime import devices, randomness
from selfdoubt.training import batch_statistics
from selfdoubt.training.technique import Base, Forward


class Technique(Base):
    """The loss is that of images within epsilon of the batch's, found from a random start by signed steps.

    Each step lowers the log odds of the label, at the weights as they are, in evaluation mode. Madry et al. take 7
    steps of 2/255 for an epsilon of 8/255; Wong et al. (ICLR 2020) one of 1.25 epsilon. `signs: random`, the control,
    moves each pixel up or down by epsilon. After the last epoch, statistics of batch normalisation are recomputed on
    images that are not moved: those of moved images make the model less accurate on clean ones than its weights are.
    """

    def __init__(self, settings, model, stream):
        super().__init__(settings, model, stream)
        self.passes_before = settings.n_steps or 0

    def extended(self, batch, step):
        found, epsilon, images = self._settings, self._settings.epsilon_255 / 255, batch.images
        noise = self._noise(batch, step)
        if found.signs == "random":
            return replace(batch, images=torch.where(noise < 0, images - epsilon, images + epsilon).clamp(0, 1))
        odds, start = gradients.log_odds(batch.labels), gradients.project(images + epsilon * noise, images, epsilon)
        steps = found.n_steps, found.step_255 / 255, self._stream.recipe.precision
        moved = gradients.ascend(self._model, images, lambda logits: -odds(logits), epsilon, *steps, start)
        return replace(batch, images=moved)

    def end_epoch(self, epoch: int, forward: Forward) -> None:
        if epoch + 1 == self._stream.recipe.epochs:
            batch_statistics.recompute_after_last_epoch(self._model, forward, self._stream)

    def _noise(self, batch, step: int) -> torch.Tensor:
        """Return a number in [-1, 1) for each pixel, whichever rank has the image."""
        ranks = self._stream.ranks
        generator = randomness.generator(self._stream.seed, "adversarial", step)
        draws = generator.random((batch.n_whole, *batch.images.shape[1:]), dtype=np.float32)[ranks.rank :: ranks.n]
        return devices.sent(torch.from_numpy(2 * draws - 1), batch.images.device)
