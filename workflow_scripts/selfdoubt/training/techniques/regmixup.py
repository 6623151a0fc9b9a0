"""RegMixup: mixed images besides the images, not in their place (Pinto et al., NeurIPS 2022)."""

from dataclasses import replace
from types import SimpleNamespace

import torch

from selfdoubt.mixing.methods import mixup
from selfdoubt.runtime import devices, randomness
from selfdoubt.training.batches import Batch
from selfdoubt.training.technique import Base


class Technique(Base):
    """The loss is that of the images, and eta times that of as many mixed ones: CE(x, y) + eta CE(x_mix, y_mix).

    Both go through the network as one batch of twice the size, as in the authors' code. Each image is mixed with
    another of the batch; lambda ~ Beta(alpha, alpha) is drawn for each, there for a batch. Theirs is eta = 1 and
    alpha = 10, or 20 for CIFAR-10.
    """

    passes = 2

    def extended(self, batch, step):
        generator, n = randomness.generator(self._stream.seed, "regmixup", step), len(batch.labels)
        device = batch.labels.device
        partner = devices.sent(torch.from_numpy(generator.permutation(n)), device)
        kept = devices.sent(torch.from_numpy(mixup.draw_lambda(generator, n, self._settings)), device)
        drawn = SimpleNamespace(kept=kept)
        images, weight = mixup.mix(batch.images, batch.images[partner], drawn, self._settings)
        mixed = Batch(images, batch.labels, batch.labels[partner], weight)
        return replace(batch, images=torch.cat([batch.images, images]), mixed=mixed)

    def objective(self, inner):
        def of_both(logits, batch):
            n = len(batch.labels)
            return inner(logits[:n], batch) + self._settings.eta * inner(logits[n:], batch.mixed)

        return of_both
