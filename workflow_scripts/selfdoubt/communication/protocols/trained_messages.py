"""Trained messages: a network writes perturbations that make a frozen listener correct.

The network sees the image and what it gets from the sender, features or predictions, and learns from labels of
train and val, or of val alone; the listener's prediction of the perturbed image is the decision. Val is predicted by
networks that were trained without its fold. Controls: `reads: image`, without the sender; `shuffled`, where
each image has the perturbation of another of which the sender predicts the same class, so that a message carries no
more than this class; and `channel: fusion`, a head on the same features whose output is added to the listener's log
probabilities, without any perturbation.

Left out: shuffling within the true class, which would read labels of test.
"""

import numpy as np
import torch
from torch import Tensor, nn

from selfdoubt.attacks import gradients
from selfdoubt.communication import trained
from selfdoubt.communication.decisions import Decision
from selfdoubt.communication.exchange import contested
from selfdoubt.communication.folds import stratified_folds
from selfdoubt.communication.kept_gains import KeptGains
from selfdoubt.communication.probabilities import log_probabilities
from selfdoubt.communication.trained import Heard
from selfdoubt.evaluation.undefined import Undefined
from selfdoubt.models import inference
from selfdoubt.runtime import randomness


def decide(models: dict[str, nn.Module], splits: dict, settings, seed: int) -> Decision:
    """Decide by the listener's predictions of perturbed images, or by the fusion; "train" is there to learn from.

    Raises Undefined if val has fewer images than folds.
    """
    sender, listener = models[settings.sender], models[settings.listener]
    fitted_on = [name for name in ("train", "val") if name in splits]
    labels = [np.asarray(splits[name].labels, np.int64) for name in fitted_on]
    if len(labels[-1]) < settings.n_folds:
        raise Undefined(f"{len(labels[-1])} samples in val, and {settings.n_folds} folds")
    with gradients.frozen(*models.values()):
        heard = {name: trained.hear(sender, listener, split.images, settings.reads) for name, split in splits.items()}
        heard = trained.standardised(heard, fitted_on)
        fold = np.full(sum(map(len, labels)), -1)
        fold[-len(labels[-1]) :] = stratified_folds(labels[-1], settings.n_folds)
        networks = [
            _trained(listener, [heard[name] for name in fitted_on], np.concatenate(labels), rows, settings, seed)
            for rows in (np.flatnonzero(fold != held_out) for held_out in range(settings.n_folds + 1))
        ]  # the last learns from all
        fold_of = {name: np.full(len(heard[name].own), settings.n_folds) for name in splits if name != "train"}
        fold_of["val"] = fold[-len(labels[-1]) :]
        logits = {
            name: _decided(
                listener, networks, folds, heard[name], settings, randomness.generator(seed, f"others/{name}")
            )
            for name, folds in fold_of.items()
        }
    kept = {name: _kept(heard[name], logits[name], settings) for name in ("val", "test")}
    chosen = {"n_parameters": sum(weight.numel() for weight in networks[-1].parameters())}
    return Decision(logits, None, [], {"forwards": _forwards(settings), "backwards": 0.0}, chosen=chosen, kept=kept)


def _forwards(settings) -> float:
    """Return the forwards of an image: those of what sender and listener predict of it, and the writer's.

    The listener predicts the perturbed image, and the clean one for a fusion; what the sender predicts of the clean one
    is read unless the channel reads the image alone, or if it decides whose perturbation it has. A sender that fuses
    for itself predicts once.
    """
    asked = settings.reads != "image" or settings.shuffled
    if settings.channel == "fusion":
        return float(1 + (asked and settings.sender != settings.listener))
    return float(2 + asked)


def _trained(listener, heard: list[Heard], labels: np.ndarray, rows: np.ndarray, settings, seed: int) -> nn.Module:
    """Return a network trained on some rows of what is heard of one split after the other, val the last."""
    device, n_features, n_before = next(listener.parameters()).device, heard[0].features.shape[1], len(heard[0].own)
    if settings.channel == "fusion":
        network = trained.build(trained.Fusion, seed, n_features, heard[0].own.shape[1], settings.width)
    else:
        shape = tuple(heard[0].images.shape[1:])
        network = trained.build(trained.Writer, seed, n_features, shape, settings.width, settings.epsilon_255 / 255)

    def logits_of(network: nn.Module, part: np.ndarray) -> Tensor:
        rows = part[part < n_before], part[part >= n_before] - n_before  # part is in rising order
        each = [(one, rows) for one, rows in zip(heard, rows, strict=False) if len(rows)]
        return torch.cat([_logits(listener, network, one, rows, rows, settings) for one, rows in each])

    with torch.enable_grad():
        return trained.train(network.to(device), logits_of, labels, rows, settings, seed)


def _logits(listener, network: nn.Module, heard: Heard, rows, others, settings) -> Tensor:
    """Return logits (b, K) of images; others: (b,) those of which the perturbations are written."""
    device = next(listener.parameters()).device
    features = torch.from_numpy(heard.features[others]).to(device)
    if settings.channel == "fusion":
        return network(torch.from_numpy(heard.own[rows]).to(device), features)
    pixels = inference.as_pixels(heard.images[rows], device)
    of_others = pixels if others is rows else inference.as_pixels(heard.images[others], device)
    return listener((pixels + network(of_others, features)).clamp(0, 1)).float()


@torch.no_grad()
def _decided(listener, networks: list, folds: np.ndarray, heard: Heard, settings, generator) -> np.ndarray:
    """Return log probabilities (n, K), float32; folds: (n,) of each image, whose network has not learned from it."""
    rows, found = np.arange(len(folds)), np.empty_like(heard.own)
    others = _within(heard.predicted, folds, generator) if settings.shuffled else rows
    size = inference.batch_size_of(heard.images, listener)
    for i in np.unique(folds):
        mine = np.flatnonzero(folds == i)
        for part in (mine[start : start + size] for start in range(0, len(mine), size)):
            given = (part, others[part]) if settings.shuffled else (part, part)
            logits = _logits(listener, networks[i], heard, *given, settings)
            found[part] = log_probabilities(logits.cpu().numpy())
    return found


def _within(predicted: np.ndarray, folds: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return for each image another of its class and fold (n,), at random; itself only where there is no other.

    Of its fold, since the writer has learned from all other images of val.
    """
    found = np.arange(len(predicted))
    for name, fold in np.unique(np.stack([predicted, folds]), axis=1).T:
        rows = generator.permutation(np.flatnonzero((predicted == name) & (folds == fold)))
        found[rows] = np.roll(rows, 1)
    return found


def _kept(heard: Heard, log_p: np.ndarray, settings) -> KeptGains:
    """Return what the listener's log p gains, of the two top classes where it is uncertain."""
    rows, candidates = contested(heard.own.astype(np.float64), settings.contested_below, 2)
    gains = (log_p - heard.own).astype(np.float64)
    return KeptGains(rows, candidates, np.take_along_axis(gains[rows], candidates, axis=1)[..., None])
