"""Deep: a small network, trained on `val`, that changes images so that confidence separates correct from incorrect.

As the oracle it is ACE (Galil & El-Yaniv 2021) reversed, but from the image alone: labels are read while it is trained
and never after. The classifier was not fitted on `val`, so that its errors there are like those on test images.

Left out: gradients of the classifier as the network's input, which would cost a backward pass for each image.
"""

from types import SimpleNamespace

import numpy as np
import torch
from torch import nn

from selfdoubt.enhancers import crossfit, image_network, objectives
from selfdoubt.enhancers.batches import Batch, EnhancedBatch
from selfdoubt.models import inference
from selfdoubt.segmentation import networks


def train(model: nn.Module, data, settings, seed: int) -> image_network.ImageNetwork:
    """Train a network for a frozen model, as `objectives.train` does, on data.images and data.labels."""
    network = image_network.build(data.images.shape[1], settings, seed)
    if isinstance(network, image_network.EncoderDecoder):
        networks.freeze_unused(network, inference.as_pixels(data.images[:1], torch.device("cpu")), "enhancers")
    return objectives.train(model, data, network, settings, seed)


def fit(model: nn.Module, val, candidates: list[SimpleNamespace], parts: list[np.ndarray], seed: int) -> list[list]:
    """Return, for each candidate, the network trained on each of the parts (row numbers) of `val`."""
    return [[train(model, crossfit.subset(val, rows), settings, seed) for rows in parts] for settings in candidates]


@torch.no_grad()
def enhance(
    batch: Batch, settings, generator: np.random.Generator, fitted: image_network.ImageNetwork
) -> EnhancedBatch:
    """Return the predictions of the images that the network makes, which are classified again."""
    images = fitted(batch.images)
    return EnhancedBatch(batch.logits(images), images, None)
