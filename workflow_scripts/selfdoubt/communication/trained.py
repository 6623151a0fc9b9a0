"""Networks that are trained for a frozen listener: what they are given, and how they are trained."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from selfdoubt.models import inference, penultimate
from selfdoubt.training import small_networks


class Writer(nn.Module):
    """Writes a perturbation within epsilon from an image and features of the sender: epsilon tanh(h).

    h is three 3 x 3 convolutions of the image, with the features added to the channels of the first, and a pattern of
    the whole image that depends on the features alone. Both end in zeros: untrained it writes nothing.
    """

    def __init__(self, n_features: int, shape: tuple[int, int, int], width: int, epsilon: float):
        super().__init__()
        channels, height, across = shape
        self.epsilon = epsilon
        self.first, self.middle = (nn.Conv2d(n, width, 3, padding=1) for n in (channels, width))
        self.last = nn.Conv2d(width, channels, 3, padding=1)
        self.of_features = nn.Linear(n_features, width)
        self.pattern = nn.Sequential(
            nn.Linear(n_features, width), nn.GELU(), nn.Linear(width, channels * height * across)
        )
        _set_to_zero(self.last, self.pattern[-1])

    def forward(self, images: Tensor, features: Tensor) -> Tensor:
        """images (n, C, H, W) in [0, 1], features (n, d) -> perturbations (n, C, H, W)."""
        hidden = F.gelu(self.first(images - 0.5) + self.of_features(features)[:, :, None, None])
        drawn = self.last(F.gelu(self.middle(hidden))) + self.pattern(features).view_as(images)
        return self.epsilon * torch.tanh(drawn)


class Fusion(nn.Module):
    """Adds to the listener's log probabilities a function of them and of the sender's features; untrained, it adds 0.

    The function is a linear one and one of a hidden layer.
    """

    def __init__(self, n_features: int, n_classes: int, width: int):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(n_features + n_classes, width), nn.GELU(), nn.Linear(width, n_classes))
        self.linear = nn.Linear(n_features + n_classes, n_classes)
        _set_to_zero(self.layers[-1], self.linear)

    def forward(self, own: Tensor, features: Tensor) -> Tensor:
        """own (n, K), features (n, d) -> logits (n, K)."""
        given = torch.cat([own, features], dim=1)
        return own + self.linear(given) + self.layers(given)


def _set_to_zero(*layers: nn.Module) -> None:
    for layer in layers:
        nn.init.zeros_(layer.weight)
        nn.init.zeros_(layer.bias)


def build(kind: Callable, seed: int, *sizes) -> nn.Module:
    """Build an untrained network, of the weights that the seed draws."""
    return small_networks.untrained(lambda: kind(*sizes), "trained-messages", seed)


class Heard(NamedTuple):
    """What networks know of n images."""

    images: np.ndarray  # uint8 (n, C, H, W)
    features: np.ndarray  # float32 (n, d), of the sender
    own: np.ndarray  # float32 (n, K), the listener's log probabilities of the clean images
    predicted: np.ndarray  # int (n,), the sender's predicted class


def hear(sender: nn.Module, listener: nn.Module, images: np.ndarray, reads: str) -> Heard:
    """Return what the setting `reads` takes of a sender, and what a listener predicts, of images uint8 (n, C, H, W)."""
    if reads == "features":
        logits, features = penultimate.predict(sender, images, "reads: features")
        predicted, features = log_softmax(logits), features.astype(np.float32)
    else:
        predicted = log_softmax(inference.predict_logits(sender, images))
        features = predicted if reads == "predictions" else np.zeros((len(images), 1), np.float32)
    own = predicted if sender is listener else log_softmax(inference.predict_logits(listener, images))
    return Heard(images, features, own, predicted.argmax(1))


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Return float32 log probabilities (n, K)."""
    return torch.from_numpy(logits).log_softmax(1).numpy()


def standardised(heard: dict[str, Heard], fitted_on: list[str]) -> dict[str, Heard]:
    """Return the same with features standardised by those of the splits that networks learn from."""
    fitted = np.concatenate([heard[split].features for split in fitted_on])
    standard = small_networks.Standardised(torch.from_numpy(fitted))
    return {
        split: each._replace(features=standard(torch.from_numpy(each.features)).numpy())
        for split, each in heard.items()
    }


def train(network: nn.Module, logits_of: Callable, labels: np.ndarray, rows: np.ndarray, settings, seed: int):
    """Train a network by the cross-entropy of logits_of(network, rows), (b, K), as `small_networks` does; return it.

    labels: of all rows that there are. rows: those that it learns from. Raises UserError at the first step whose loss
    is not finite.
    """

    def loss_of(picked: Tensor) -> Tensor:
        part = np.sort(rows[picked.numpy()])
        logits = logits_of(network, part)
        return F.cross_entropy(logits, torch.from_numpy(labels[part]).to(logits.device))

    return small_networks.train(network, len(rows), loss_of, settings, seed, "protocols")
