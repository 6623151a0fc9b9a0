"""Statistics of batch normalisation, computed anew once the weights are final."""

import torch
from torch import nn

from selfdoubt.runtime import randomness
from selfdoubt.training.batches import Stream
from selfdoubt.training.technique import Forward


@torch.no_grad()
def recompute_after_last_epoch(model: nn.Module, forward: Forward, stream: Stream) -> None:
    """Set the statistics of batch normalisation to those of the stream's views of the epoch after the last."""
    torch.manual_seed(randomness.key(stream.seed, "statistics", stream.ranks.rank) % 2**63)
    recompute(model, forward, stream.epoch(stream.recipe.epochs))


def recompute(model: nn.Module, forward: Forward, batches) -> None:
    """Set the statistics of batch normalisation to the mean of those of batches, in training mode.

    Does nothing if the model has none.
    """
    layers = {m: m.momentum for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)}
    if not layers:
        return
    for i, batch in enumerate(batches, start=1):
        for layer in layers:
            layer.momentum = 1 / i  # with which a moving average is the mean
        forward(batch.images)
    for layer, momentum in layers.items():
        layer.momentum = momentum
