"""What the networks that change images are trained for."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from selfdoubt.attacks import gradients
from selfdoubt.enhancers import batches
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


def train(model: nn.Module, data, network: nn.Module, settings, seed: int) -> nn.Module:
    """Train a network from images to images for a frozen model, on data.images, uint8 (n, C, H, W), and data.labels.

    settings: weights of `objective`, those of `small_networks.train`, and trained_against, the settings of an attack or
    nothing: with it half of the loss is of attacked images. The attack knows the model and the labels, and not the
    network. Equal arguments and threads give equal weights.
    Raises UserError at the first step whose loss is not finite.
    """
    device, images = next(model.parameters()).device, data.images
    network = network.to(device, memory_format=torch.channels_last)
    labels = torch.from_numpy(data.labels)
    predicted = torch.from_numpy(inference.predict_logits(model, images).argmax(1))
    attack = getattr(settings, "trained_against", None)
    weights = [getattr(settings, key, 0) for key in ("confidence_weight", "ranking_weight")]

    def loss_of(rows: Tensor) -> Tensor:
        of_rows = labels[rows].to(device), predicted[rows].to(device)
        clean = batches.Batch(model, inference.as_pixels(images[rows.numpy()], device), of_rows[0])
        lots = [clean] if attack is None else [clean, batches.attacked(clean, attack)]
        return sum(objective(model(network(lot.images)).float(), *of_rows, *weights) for lot in lots) / len(lots)

    return small_networks.train(network, len(images), loss_of, settings, seed, "enhancers")
