"""How a group decides if its members are run again: what every such protocol returns, and how it is found.

A protocol is a module of `communication.protocols`. One whose members predict changed images, messages or views, has

    decide(models, splits, settings, seed) -> Decision

models: by name, on one device. splits: by name, with "val", on which everything is fitted, and "test"; and "train", for
which nothing is decided, where a protocol's settings read it. A protocol that needs no model, only the members'
predictions, is described in `combining`.

A message is a module of `communication.messages`. With images (n, C, H, W) and classes (n, k) it has

    send(sender, images, classes, settings, generator)    the perturbed images for each class: k batches, or 1 for all
    cost(k, settings) -> (batches, forwards, backwards)   how many batches `send` returns, and the sender's passes
    step(sender, images, size, settings, generator)       images after one step of a dialogue, before projection
    GRADIENTS_OF_A_STEP                                   gradients that such a step takes; spatial ones take no steps
"""

from types import ModuleType
from typing import NamedTuple

import numpy as np
from torch import nn

from selfdoubt.communication.kept_gains import KeptGains
from selfdoubt.evaluation.undefined import Undefined
from selfdoubt.models import inference
from selfdoubt.runtime import methods
from selfdoubt.runtime.errors import UserError


class Decision(NamedTuple):
    """What a group decides on every split."""

    logits: dict[str, np.ndarray]  # float32 (n, K): log probabilities
    weight: float | None  # of the gains; None where none is fitted
    persuasion: list[dict]  # rows of PERSUASION, of the split "test"
    costs: dict[str, float]  # forwards and backwards of one image, mean over the split "test"
    rounds: float | None = None  # of a dialogue, mean over the images of "test" on which members disagreed
    chosen: dict | None = None  # what else was fitted or chosen on val, JSON-able
    kept: dict[str, KeptGains] | None = None  # of "val" and "test", for the information test


def decide(models: dict[str, nn.Module], splits: dict, settings, seed: int) -> Decision:
    """Let a group decide on every split by one of config.yaml's `protocols` that run its members.

    Raises UserError if something has to be fitted on val and cannot be.
    """
    try:
        return methods.load("communication.protocols", settings.method).decide(models, splits, settings, seed)
    except Undefined as reason:
        raise UserError(f"{settings.method} cannot be fitted on the group's predictions of val: {reason}") from None


def load_message(settings) -> ModuleType:
    """Return the module of the message that a protocol's members send."""
    return methods.load("communication.messages", settings.message)


def predict_clean(models: dict[str, nn.Module], split) -> dict[str, np.ndarray]:
    """Return each model's logits (n, K) of the clean images of a split."""
    return {name: inference.predict_logits(model, split.images) for name, model in models.items()}
