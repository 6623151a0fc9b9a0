"""Deep: a small network, trained on `val`, that changes images so that confidence separates correct from incorrect.

Like the oracle it reverses ACE (Galil & El-Yaniv 2021), but from the image alone: labels are read while it is trained
and never after. The classifier was not fitted on `val`, so that its errors there are like those on test images.

Left out: gradients of the classifier as the network's input, which would cost a backward pass for each image.
"""

from types import SimpleNamespace

import numpy as np
import torch
from torch import nn

from selfdoubt.enhancers import image_network, lots, objectives
from selfdoubt.enhancers.batches import Batch, EnhancedBatch
from selfdoubt.models import inference
from selfdoubt.segmentation import networks


def train(learned_from: list[lots.Lot], settings, seed: int) -> image_network.ImageNetwork:
    """Train a network for frozen models, as `objectives.train` does."""
    images = learned_from[0].images
    network = image_network.build(images.shape[1], settings, seed)
    if isinstance(network, image_network.EncoderDecoder):
        networks.freeze_unused(network, inference.as_pixels(images[:1], torch.device("cpu")), "enhancers")
    return objectives.train(learned_from, network, settings, seed)


def fit(
    model: nn.Module,
    val,
    candidates: list[SimpleNamespace],
    parts: list[np.ndarray],
    seed: int,
    others: lots.Others = lots.NONE,
) -> list[list]:
    """Return, for each candidate, the network trained on each of the parts (row numbers) of `val`, as of `lots`."""
    given = [lots.of_part(model, val, rows, others) for rows in parts]
    return [[train(of_part, settings, seed) for of_part in given] for settings in candidates]


@torch.no_grad()
def enhance(
    batch: Batch, settings, generator: np.random.Generator, fitted: image_network.ImageNetwork
) -> EnhancedBatch:
    """Return the predictions of the images that the network makes, which are classified again."""
    images = fitted(batch.images)
    return EnhancedBatch(batch.logits(images), images, None)
