"""What the networks that change images are trained for."""

from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from selfdoubt.attacks import gradients
from selfdoubt.enhancers import batches
from selfdoubt.enhancers.lots import Lot
from selfdoubt.models import inference
from selfdoubt.training import small_networks


def objective(
    logits: Tensor, labels: Tensor, predicted: Tensor, confidence_weight: float = 0, ranking_weight: float = 0
) -> Tensor:
    """Return CE(z, y) + confidence_weight * BCE(p, whether it is correct) + ranking_weight * `ranking`.

    logits: (n, K) of the changed images. labels, predicted: (n,) true classes, and those predicted of the clean images;
    p is the probability of the latter. The first term keeps accuracy; the first two are proper scoring rules, so that
    neither rewards too much or too little confidence.
    """
    loss, confidence = F.cross_entropy(logits, labels), gradients.log_odds(predicted)(logits)
    correct = predicted == labels
    if confidence_weight:
        loss = loss + confidence_weight * F.binary_cross_entropy_with_logits(confidence, correct.float())
    return loss + ranking_weight * ranking(confidence, correct) if ranking_weight else loss


def ranking(confidence: Tensor, correct: Tensor) -> Tensor:
    """Return the mean over correct i and incorrect j of softplus(o_j - o_i), o log-odds (n,); 0 if there is no pair.

    The logistic loss of pairs (RankNet, Burges et al. 2005); over log 2 it bounds 1 - AUROC.
    """
    if correct.all() or not correct.any():
        return confidence.new_zeros(())
    return F.softplus(confidence[~correct][:, None] - confidence[correct]).mean()


def train(lots: list[Lot], network: nn.Module, settings, seed: int) -> nn.Module:
    """Train a network from images to images, on the images of all lots, of each for its frozen model.

    A step draws from all images alike, and pairs are of one lot. settings: weights of `objective`, those of
    `small_networks.train`, and trained_against, the settings of an attack or nothing: with it half of the loss is of
    attacked images. The attack knows the model and the labels, and not the network. Equal arguments and threads give
    equal weights.
    Raises UserError at the first step whose loss is not finite.
    """
    device = next(lots[0].model.parameters()).device
    network = network.to(device, memory_format=torch.channels_last)
    known = [(torch.from_numpy(lot.labels), _predicted(lot)) for lot in lots]
    starts = np.cumsum([0, *(len(lot.labels) for lot in lots)]).tolist()
    attack = getattr(settings, "trained_against", None)
    weights = [getattr(settings, key, 0) for key in ("confidence_weight", "ranking_weight")]

    def loss_of(rows: Tensor) -> Tensor:
        clean, predicted = [], []
        for lot, (labels, guesses), (start, end) in zip(lots, known, pairwise(starts), strict=True):
            own = rows[(rows >= start) & (rows < end)] - start
            if len(own):
                images = inference.as_pixels(lot.images[own.numpy()], device)
                clean.append(batches.Batch(lot.model, images, labels[own].to(device)))
                predicted.append(guesses[own].to(device))
        seen = [clean] if attack is None else [clean, [batches.attacked(batch, attack) for batch in clean]]
        return sum(_loss_on(network, each, predicted, weights) for each in seen) / len(seen)

    return small_networks.train(network, starts[-1], loss_of, settings, seed, "enhancers")


def _loss_on(network: nn.Module, parts: list[batches.Batch], predicted: list[Tensor], weights: list[float]) -> Tensor:
    """Return the objective of images that go through the network as one batch, and then each through its own model."""
    sizes = [len(part.images) for part in parts]
    moved = network(torch.cat([part.images for part in parts])).split(sizes)
    loss = 0
    for part, images, guesses in zip(parts, moved, predicted, strict=True):
        own = objective(part.model(images).float(), part.labels, guesses, *weights)
        loss = loss + len(images) / sum(sizes) * own
    return loss


def _predicted(lot: Lot) -> Tensor:
    """Return the classes that the lot's model predicts of its clean images, (n,)."""
    return torch.from_numpy(inference.predict_logits(lot.model, lot.images).argmax(1))
