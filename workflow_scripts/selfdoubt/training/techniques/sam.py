"""Sharpness-aware minimisation (Foret et al., ICLR 2021): the gradient at the worst of the weights near by."""

import torch

from selfdoubt.training.technique import Base

_TINY = 1e-12


class Technique(Base):
    """Each step uses the gradient at w + rho g / ||g||, where g is that at the weights w, of all that is trained.

    The paper's rho is 0.05 for CIFAR-10 and 0.1 for CIFAR-100. The second pass sees the same images and drops the same
    units; it leaves no trace in the statistics of batch normalisation.
    """

    passes = 2

    @torch.no_grad()
    def gradients(self, compute):
        with torch.enable_grad():
            logits, total = compute()
        trained = [p for p in self._model.parameters() if p.grad is not None]
        weights, buffers = [p.clone() for p in trained], [b.clone() for b in self._model.buffers()]
        norm = torch.stack([p.grad.norm() for p in trained]).norm()
        for p in trained:
            p.add_(p.grad * (self._settings.rho / (norm + _TINY)))
            p.grad = None
        with torch.enable_grad():
            _, worst = compute()
        for now, before in zip([*trained, *self._model.buffers()], weights + buffers, strict=True):
            now.copy_(before)
        return logits, total + 0 * worst  # which is not finite if either is not
