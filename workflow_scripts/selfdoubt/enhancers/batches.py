"""A batch of clean images, and what an enhancer returns for it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from selfdoubt.attacks import gradients
from selfdoubt.models import inference
from selfdoubt.runtime import methods


class EnhancedBatch(NamedTuple):
    """What an enhancer returns for a batch."""

    logits: Tensor  # (n, K), of the enhanced images
    images: Tensor  # the enhanced images, float32 (n, C, H, W) in [0, 1]
    predicted: Tensor | None  # (n,) the clean predicted classes where they are kept; None: the argmax of logits
    signals: dict[str, Tensor] | None = None  # further columns of the predictions, (n,)


class Batch:
    """Clean images (n, C, H, W) in [0, 1] with a model, and what several candidates need of them, computed once.

    labels: (n,) the true classes, -1 where there is none; only for methods whose settings have `reads_labels`.
    """

    def __init__(self, model: nn.Module, images: Tensor, labels: Tensor | None = None):
        self.model, self.images, self.labels = model, images, labels
        self._made = {}

    def once(self, key: tuple, make: Callable):
        """Return what make() returned at the first call with this key."""
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    @cached_property
    def predicted(self) -> Tensor:
        """The predicted classes of the clean images (n,)."""
        return self.logits(self.images).argmax(1)

    def ascent(self, temperature: float, precision: str) -> tuple[Tensor, Tensor]:
        """Return the signs that raise log p of the predicted class at a temperature, and that class.

        In float32 one forward gives both; in bfloat16 two classes of nearly equal probability may change places, so the
        class comes from a forward in float32.
        """
        if precision == "float32":
            return self.step(gradients.top_log_odds(temperature), ("ascent", temperature), precision)
        towards = gradients.log_odds(self.predicted, temperature)
        return self.step(towards, ("ascent", temperature), precision)

    def step(self, objective: gradients.Objective, key: tuple, precision: str) -> tuple[Tensor, Tensor]:
        """Return the signs that raise an objective, computed once for a key, and the predicted classes."""

        def make() -> tuple[Tensor, Tensor]:
            gradient, logits = gradients.input_gradient(self.model, self.images, objective, precision)
            return gradient.sign(), logits.argmax(1) if precision == "float32" else self.predicted

        return self.once(key, make)

    @torch.no_grad()
    def logits(self, images: Tensor) -> Tensor:
        """Return the model's logits (n, K), float32."""
        return self.model(images).float()


def batches_of(model: nn.Module, images, labels: np.ndarray) -> Iterator[Batch]:
    """Yield uint8 images (n, C, H, W) and their labels (n,) in batches, in order."""
    device, size = next(model.parameters()).device, inference.batch_size_of(images, model)
    for start in range(0, len(images), size):
        part = slice(start, start + size)
        pixels = inference.as_pixels(images[part], device)
        yield Batch(model, pixels, torch.from_numpy(labels[part]).to(device))


def attacked(batch: Batch, attack) -> Batch:
    """Return the batch with its images attacked; attack: the method and its settings. It has the true labels."""
    enhance = methods.load("enhancers.methods", attack.method).enhance
    return Batch(batch.model, enhance(batch, attack, None).images, batch.labels)


@contextmanager
def counted(model: nn.Module) -> Iterator[dict[str, int]]:
    """Count the images that pass forwards through a model, and those whose gradient comes back to their pixels."""
    passes = {"forwards": 0, "backwards": 0}

    def count(name: str, images: Tensor) -> None:
        passes[name] += len(images)

    def seen(module: nn.Module, inputs: tuple[Tensor]) -> None:
        count("forwards", inputs[0])
        if inputs[0].requires_grad:
            inputs[0].register_hook(lambda gradient: count("backwards", gradient))

    handle = model.register_forward_pre_hook(seen)
    try:
        yield passes
    finally:
        handle.remove()
