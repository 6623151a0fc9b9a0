"""A classifier with a further output, which learns how far the teachers of a student disagree.

It reads the features that the logits are made of, and is in the checkpoint beside them. Loaded by name, for models that
have it.
"""

import math

import torch
from torch import nn

from selfdoubt.models.classifier import Classifier


class Disagreeing(Classifier):
    """A classifier of which `forward` returns the further output after the logits, (n, K + 1), in training mode alone.

    In evaluation mode it returns logits (n, K): so attacks, features and all else that is given a model have a
    classifier like any other. Raises UserError if the network does not end in one linear layer.
    """

    def __init__(self, network, channels: int):
        super().__init__(network, channels)
        self.further = nn.Linear(self.last_layer("disagreement").in_features, 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """(n, C, H, W) in [0, 1] -> logits (n, K), in training with the further output (n, K + 1); float32."""
        return torch.cat(self._both(images), 1) if self.training else super().forward(images)

    def disagreement(self, images: torch.Tensor) -> torch.Tensor:
        """(n, C, H, W) in [0, 1] -> how far teachers are expected to disagree, (n,), float32, in nats."""
        logits, further = self._both(images)
        return mutual_information(further[:, 0], logits.shape[1])

    def head_names(self) -> list[str]:
        return [*super().head_names(), *(name for name, _ in self.named_parameters() if name.startswith("further."))]

    def _both(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        found = []
        hook = self.last_layer("disagreement").register_forward_pre_hook(lambda _, given: found.append(given[0]))
        try:
            logits = super().forward(images)
        finally:
            hook.remove()
        return logits, (self.further(found[0]) * self.logit_scale).float()


def mutual_information(output: torch.Tensor, n_classes: int) -> torch.Tensor:
    """Return log K times the sigmoid of the further output: in nats, positive and below its largest possible value."""
    return math.log(n_classes) * output.sigmoid()
