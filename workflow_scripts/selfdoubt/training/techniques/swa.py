"""Stochastic weight averaging (Izmailov et al., UAI 2018)."""

import torch

from selfdoubt.training import batch_statistics
from selfdoubt.training.technique import Base, Forward


class Technique(Base):
    """From a fraction of the epochs on, other learning rates, and the mean of the weights at the end of each cycle.

    The rate is constant, or falls linearly within each cycle, as in the paper: at step i of c, from 1, it is
    (1 - i / c) factor + i / c lowest_factor of the recipe's peak. The mean becomes the model after the last epoch, with
    statistics of batch normalisation recomputed on one more epoch's views of the training images. FMFP (Zhu et al.,
    ECCV 2022) is this and SAM, from 0.6 of the epochs at half the peak; the paper's own start is 0.75.
    """

    def __init__(self, settings, model, stream):
        super().__init__(settings, model, stream)
        self._first = round(settings.start_fraction * stream.recipe.epochs)
        self._means = {name: torch.zeros_like(p) for name, p in model.named_parameters()}

    def factor(self, factor, step):
        done = step - self._first * self._stream.n_batches
        if done < 0:
            return factor
        highest, lowest = self._settings.factor, self._settings.lowest_factor
        n_steps = self._settings.cycle_epochs * self._stream.n_batches
        at = (done % n_steps + 1) / n_steps
        return highest if lowest is None else (1 - at) * highest + at * lowest

    @torch.no_grad()
    def end_epoch(self, epoch: int, forward: Forward) -> None:
        n_cycles, left = divmod(epoch + 1 - self._first, self._settings.cycle_epochs)
        if n_cycles > 0 and not left:
            for name, p in self._model.named_parameters():
                self._means[name].lerp_(p, 1 / n_cycles)
        if epoch + 1 == self._stream.recipe.epochs:
            for name, p in self._model.named_parameters():
                p.copy_(self._means[name])
            batch_statistics.recompute_after_last_epoch(self._model, forward, self._stream)

    def tensors(self):
        return self._means
