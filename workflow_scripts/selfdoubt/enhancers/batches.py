"""A batch of clean images and what a method says of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from selfdoubt.attacks import gradients
from selfdoubt.models import inference


class Answer(NamedTuple):
    """What a model says of one batch."""

    logits: Tensor  # (n, K), of the enhanced images
    images: Tensor  # the enhanced images, float32 (n, C, H, W) in [0, 1]
    predicted: Tensor | None  # (n,) the labels kept; None where the method answers anew
    signals: dict[str, Tensor] | None = None  # further columns of the predictions, (n,)


class Batch:
    """Clean images (n, C, H, W) in [0, 1] and what is asked of them, once however many candidates ask it.

    labels: (n,) the true ones, -1 where there is none; for methods of `labelled` alone.
    """

    def __init__(self, model: nn.Module, images: Tensor, labels: Tensor | None = None):
        self.model, self.images, self.labels = model, images, labels
        self._made = {}

    def once(self, key: tuple, make: Callable):
        """Return what make() returned when first asked for under this key."""
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    @cached_property
    def predicted(self) -> Tensor:
        """The model's labels of the clean images (n,)."""
        return self.ask(self.images).argmax(1)

    def ascent(self, temperature: float, precision: str) -> tuple[Tensor, Tensor]:
        """The signs that raise log p of the prediction at a temperature, and the prediction.

        In float32 both are had by one forward; in bfloat16 classes that are nearly as likely may change places.
        """
        if precision == "float32":
            return self.step(gradients.top_log_odds(temperature), ("ascent", temperature), precision)
        towards = gradients.log_odds(self.predicted, temperature)
        return self.step(towards, ("ascent", temperature), precision)

    def step(self, objective: gradients.Objective, key: tuple, precision: str) -> tuple[Tensor, Tensor]:
        """The signs that raise an objective, made once under the key, and the model's labels."""

        def make() -> tuple[Tensor, Tensor]:
            gradient, logits = gradients.input_gradient(self.model, self.images, objective, precision)
            return gradient.sign(), logits.argmax(1) if precision == "float32" else self.predicted

        return self.once(key, make)

    @torch.no_grad()
    def ask(self, images: Tensor) -> Tensor:
        """The model's logits (n, K)."""
        return self.model(images).float()


def batches_of(model: nn.Module, images, labels: np.ndarray) -> Iterator[Batch]:
    """Yield uint8 images (n, C, H, W) and their labels (n,) in batches, in order."""
    device, size = next(model.parameters()).device, inference.batch_size_of(images, model)
    for start in range(0, len(images), size):
        part = slice(start, start + size)
        pixels = inference.as_pixels(images[part], device)
        yield Batch(model, pixels, torch.from_numpy(labels[part]).to(device))


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
