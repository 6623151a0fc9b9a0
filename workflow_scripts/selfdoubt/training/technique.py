"""What a technique may change of a training: its loss, its gradients, its learning rates, its weights.

A module of `training.techniques` has a class `Technique` that overrides what it changes. Those of a model are sorted by
name: the loss of the last is the innermost.
"""

import math
from collections.abc import Callable
from functools import reduce

import torch

from selfdoubt.runtime import methods
from selfdoubt.training.batches import Batch, Stream
from selfdoubt.training.losses import Objective

Forward = Callable[[torch.Tensor], torch.Tensor]  # images (b, C, H, W) -> logits (b, K), as in a step
Gradients = Callable[[], tuple[torch.Tensor, torch.Tensor]]  # adds gradients; returns logits, the sum of losses


class Base:
    """A technique that changes nothing."""

    passes = 1  # how often a step takes an image forwards and backwards
    passes_before = 0  # as much to make the images of a step

    def __init__(self, settings, model: torch.nn.Module, stream: Stream):
        """settings: of one of config.yaml's `techniques`."""
        self._settings, self._model, self._stream = settings, model, stream

    def extended(self, batch: Batch, step: int) -> Batch:
        """Return the batch of a step, perhaps with `mixed` images after its own."""
        return batch

    def objective(self, inner: Objective) -> Objective:
        """Return what is minimised in place of `inner`; the first len(batch.labels) logits are of the batch's own."""
        return inner

    def gradients(self, compute: Gradients) -> tuple[torch.Tensor, torch.Tensor]:
        """Compute the gradients of a step, and return what `compute` does at the step's own weights."""
        return compute()

    def learned(self, logits: torch.Tensor, batch: Batch) -> None:
        """Take note of a step's logits."""

    def factor(self, factor: float, step: int) -> float:
        """Return the factor of the peak learning rate at a step, given the schedule's."""
        return factor

    def end_epoch(self, epoch: int, forward: Forward) -> None:
        """Take note of the weights after an epoch, from 0; after the last, change them to those that are kept."""

    def tensors(self) -> dict[str, torch.Tensor]:
        """Return all that a later step depends on, by name; the tensors are those in use, not copies."""
        return {}


class Techniques:
    """All techniques of a model, as one."""

    def __init__(self, settings: list, model: torch.nn.Module, stream: Stream):
        """settings: config.yaml's `techniques` of a model; there may be none."""
        kinds = [(each.method, methods.load("training.techniques", each.method).Technique) for each in settings]
        self._named = {name: kind(each, model, stream) for (name, kind), each in zip(kinds, settings, strict=True)}
        self._all = list(self._named.values())

    @property
    def passes(self) -> int:
        """Return how often a step takes each of its images, or one mixed from it, forwards and backwards."""
        return math.prod(each.passes for each in self._all) + sum(each.passes_before for each in self._all)

    def extended(self, batch: Batch, step: int) -> Batch:
        return reduce(lambda found, each: each.extended(found, step), self._all, batch)

    def objective(self, inner: Objective) -> Objective:
        return reduce(lambda found, each: each.objective(found), reversed(self._all), inner)

    def gradients(self, compute: Gradients) -> tuple[torch.Tensor, torch.Tensor]:
        def within(found: Gradients, each: Base) -> Gradients:
            return lambda: each.gradients(found)

        return reduce(within, self._all, compute)()

    def learned(self, logits: torch.Tensor, batch: Batch) -> None:
        for each in self._all:
            each.learned(logits, batch)

    def factor(self, factor: float, step: int) -> float:
        return reduce(lambda found, each: each.factor(found, step), self._all, factor)

    def end_epoch(self, epoch: int, forward: Forward) -> None:
        for each in self._all:
            each.end_epoch(epoch, forward)

    def tensors(self) -> dict[str, torch.Tensor]:
        return {f"{name}.{key}": t for name, each in self._named.items() for key, t in each.tensors().items()}
