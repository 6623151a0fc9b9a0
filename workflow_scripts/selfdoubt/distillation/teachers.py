"""Teachers that compute the targets of each batch as it comes, and what the mean of several is."""

import numpy as np
import torch

from selfdoubt.distillation.soft_labels import Targets, compress, expand
from selfdoubt.models import inference
from selfdoubt.runtime import devices


class Teachers:
    """One trained model, whose logits are the targets, or several, whose mean probability is."""

    def __init__(self, models: list[torch.nn.Module], precision: str, top_k: int | None = None):
        self._models, self._precision, self.top_k = [model.eval() for model in models], precision, top_k

    def targets(self, batch) -> Targets:
        """Return the targets of a batch, rounded as if they had been stored."""
        exact = self.exact(batch)
        return expand(compress(exact, self.top_k), exact.logits.shape[1])

    def exact(self, batch) -> Targets:
        """Return the targets of a batch, not rounded."""
        return self._of(batch.images)

    def fixed(self, images, device: torch.device) -> "FixedView":
        """Return the targets of images, uint8 (n, C, H, W), without augmentation; computed once."""
        size = inference.batch_size_of(images, *self._models)
        parts = []
        for start in range(0, len(images), size):
            exact = self._of(inference.as_pixels(images[start : start + size], device))
            parts.append(compress(exact, self.top_k))
        return FixedView({name: torch.cat([part[name] for part in parts]) for name in parts[0]}, exact.logits.shape[1])

    def _of(self, images: torch.Tensor) -> Targets:
        logits = [self._logits(model, images) for model in self._models]
        return Targets(logits[0]) if len(logits) == 1 else average(torch.stack(logits))

    @torch.no_grad()
    def _logits(self, model: torch.nn.Module, images: torch.Tensor) -> torch.Tensor:
        with devices.autocast(images.device, self._precision):
            return model(images)


class FixedView:
    """The targets of each image without augmentation, whatever view of it the student sees."""

    def __init__(self, kept: dict[str, torch.Tensor], n_classes: int):
        """kept: what `compress` returned for all images."""
        self._kept, self._n_classes = kept, n_classes

    def targets(self, batch) -> Targets:
        """Return the targets of a batch, rounded as if they had been stored."""
        return expand({name: tensor[batch.positions] for name, tensor in self._kept.items()}, self._n_classes)


def average(logits: torch.Tensor) -> Targets:
    """Return the logarithm of the mean of softmax(logits) over members, and their mutual information.

    logits: (members, n, K). H(mean p) - mean H(p) is computed in float64, as it is a small difference.
    """
    log_mean = log_mean_probability(logits)
    exact = logits.double().log_softmax(-1).exp()
    information = torch.special.entr(exact.mean(0)).sum(-1) - torch.special.entr(exact).sum(-1).mean(0)
    return Targets(log_mean, information.clamp_min(0).float())


def log_mean_probability(logits: torch.Tensor) -> torch.Tensor:
    """Return the logarithm of the mean of softmax(logits) over members, (n, K); logits: (members, n, K)."""
    return logits.log_softmax(-1).logsumexp(0) - np.log(len(logits))
