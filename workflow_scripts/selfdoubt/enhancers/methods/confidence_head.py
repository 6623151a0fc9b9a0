"""Confidence-head: a network that reads the image and estimates whether the prediction is correct.

It costs what the network of `deep` costs, and sees what that sees, but classifies, where `deep` changes the image. With
`reads_logits` its last layer has the features of `clean-logistic` too.
"""

from types import SimpleNamespace

import numpy as np
import torch
from torch import Tensor, nn

from selfdoubt.enhancers import heads, image_network
from selfdoubt.enhancers.batches import Batch, EnhancedBatch
from selfdoubt.models import inference
from selfdoubt.training import small_networks


class ImageHead(nn.Module):
    """`image_network.trunk`, whose mean over the pixels enters a linear layer."""

    def __init__(self, channels: int, width: int, known: Tensor):
        """known: what is known of the predictions that it is trained on, (m, d); d may be 0."""
        super().__init__()
        self.layers, self.last = image_network.trunk(channels, width), heads.Last(4 * width, known)

    def forward(self, images: Tensor, known: Tensor) -> Tensor:
        """(n, C, H, W) in [0, 1] and (n, d) -> log-odds (n,)."""
        return self.last(self.layers(images - 0.5).mean((2, 3)), known)


def fit(model: nn.Module, val, candidates: list[SimpleNamespace], parts: list[np.ndarray], seed: int) -> list[list]:
    """Return, for each candidate, the head trained on each of the parts (row numbers) of `val`."""
    device, logits = next(model.parameters()).device, inference.predict_logits(model, val.images)
    correct = torch.from_numpy(logits.argmax(1) == val.labels).to(device)

    def trained(settings, part: np.ndarray) -> ImageHead:
        known, part = heads.known_of(torch.from_numpy(logits).to(device), settings), torch.from_numpy(part).to(device)

        def inputs_of(rows: Tensor) -> tuple[Tensor, Tensor]:
            return inference.as_pixels(val.images[part[rows].cpu().numpy()], device), known[part[rows]]

        shape = val.images.shape[1], settings.width, known[part].cpu()
        head = small_networks.untrained(lambda: ImageHead(*shape), settings.method, seed)
        head = head.to(device, memory_format=torch.channels_last)
        return heads.train(head, inputs_of, correct[part], settings, seed)

    return [[trained(settings, part) for part in parts] for settings in candidates]


@torch.no_grad()
def enhance(batch: Batch, settings, generator: np.random.Generator, fitted: ImageHead) -> EnhancedBatch:
    """Write the head's log-odds into the clean logits; the predicted class is kept. Costs a forward, and one of it."""
    logits = batch.once(("clean",), lambda: batch.logits(batch.images))
    return heads.with_log_odds(batch, logits, fitted(batch.images, heads.known_of(logits, settings)))
