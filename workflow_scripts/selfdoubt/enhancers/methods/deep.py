"""Deep: a small network, trained on `val`, that changes images so that confidence separates correct from incorrect.

As the oracle it is ACE (Galil & El-Yaniv 2021) reversed, but from the image alone: labels are read while it is trained
and never after. The classifier was not fitted on `val`, so that its errors there are like those on test images.

Left out: gradients of the classifier as the network's input, which would cost a backward pass for each image.
"""

from types import SimpleNamespace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from selfdoubt.attacks import gradients
from selfdoubt.enhancers import crossfit, fitting, image_network
from selfdoubt.enhancers.batches import Batch, EnhancedBatch
from selfdoubt.models import inference


def objective(logits: Tensor, labels: Tensor, predicted: Tensor, confidence_weight: float) -> Tensor:
    """Return CE(z, y) + confidence_weight * BCE(p of the clean prediction, whether it is correct), mean over images.

    logits: (n, K) of the changed images. labels, predicted: (n,) true classes, and those predicted of the clean images.
    The first term keeps accuracy; both are proper scoring rules, so that neither rewards too much or too little
    confidence.
    """
    correct = (predicted == labels).float()
    confidence = F.binary_cross_entropy_with_logits(gradients.log_odds(predicted)(logits), correct)
    return F.cross_entropy(logits, labels) + confidence_weight * confidence


def train(model: nn.Module, data, settings, seed: int) -> image_network.ImageNetwork:
    """Train a network for a frozen model on data.images, uint8 (n, C, H, W), and data.labels (n,).

    Equal arguments and threads give equal weights. Raises UserError at the first step whose loss is not finite.
    """
    device, images = next(model.parameters()).device, data.images
    network = image_network.build(images.shape[1], settings, seed).to(device, memory_format=torch.channels_last)
    labels = torch.from_numpy(data.labels)
    predicted = torch.from_numpy(inference.predict_logits(model, images).argmax(1))

    def loss_of(rows: Tensor) -> Tensor:
        logits = model(network(inference.as_pixels(images[rows.numpy()], device))).float()
        return objective(logits, labels[rows].to(device), predicted[rows].to(device), settings.confidence_weight)

    return fitting.train(network, len(images), loss_of, settings, seed)


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
