"""The one training loop: every teacher, baseline, student and augmented model is trained here.

The data live as uint8 on the device; a batch is made by `augmentation` from the epoch's views. The
checkpoint is the last epoch's: none is chosen on any split.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from selfdoubt import (
    augmentation,
    checkpoints,
    datasets,
    devices,
    inference,
    losses,
    models,
    optimizers,
    schedules,
    schemas,
)
from selfdoubt.errors import UserError


@dataclass(frozen=True)
class Batch:
    """One training step's data. Without mixing, `weight` is None and `other_labels` are the labels."""

    images: torch.Tensor  # float32 (b, C, H, W) in [0, 1]
    labels: torch.Tensor  # (b,)
    other_labels: torch.Tensor  # (b,) of the image that was pasted
    weight: torch.Tensor | None  # (b,) of `labels`


FIT_IMAGES = 10_000  # that the normalisation is taken from

Objective = Callable[[torch.Tensor, Batch], torch.Tensor]  # (logits, batch) -> scalar loss


class Stream:
    """The training images as a reproducible sequence of batches, on the device."""

    def __init__(self, split, recipe, seed: int, device: torch.device, mixing=None, masks: np.ndarray | None = None):
        """mixing: settings of config.yaml's `mixing`, or None. masks: bool (n, H, W), where mixing needs them."""
        images = torch.tensor(split.images)
        if masks is not None:
            images = torch.cat([images, torch.from_numpy(masks).to(torch.uint8)[:, None]], 1)
        self._padded = augmentation.pad(images, recipe.shift_px).to(device)
        self._labels = torch.tensor(split.labels).to(device)
        self._shape = (len(split.images), *split.images.shape[2:])
        self._recipe, self._seed, self._mixing = recipe, seed, mixing

    @property
    def n_batches(self) -> int:
        """Steps in an epoch; the last batch may be smaller, but one image alone has no batch statistics."""
        whole, left = divmod(self._shape[0], self._recipe.batch_size)
        return whole + (left > 1)

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """Yield the batches of one epoch; the same epoch always yields the same."""
        recipe, device = self._recipe, self._padded.device
        views = augmentation.draw_views(self._seed, epoch, self._shape, recipe.shift_px, recipe.flip)
        views = _to(device, views)
        mixing = None
        if self._mixing is not None:
            mixing = _to(device, augmentation.draw_mixing(self._seed, epoch, self._shape, self._mixing))
        for index in views.order.split(recipe.batch_size)[: self.n_batches]:
            yield self._batch(index, views, mixing)

    def _batch(self, index: torch.Tensor, views, mixing) -> Batch:
        images, labels = augmentation.see(self._padded, index, views), self._labels[index]
        if mixing is None:
            return Batch(images.float() / 255, labels, labels, None)
        chosen = mixing.mixed[index].nonzero()[:, 0]
        where, partner = index[chosen], mixing.partner[index[chosen]]
        mixer = augmentation.MIXERS[self._mixing.method]
        source = augmentation.see(self._padded, partner, views)
        mixed, share = mixer(images[chosen], source, mixing, where)
        images = images[:, : mixed.shape[1]].float()  # without the mask's channel
        images[chosen] = mixed.float()
        other, weight = labels.clone(), torch.ones(len(index), device=images.device)
        other[chosen], weight[chosen] = self._labels[partner], share.float()
        return Batch(images / 255, labels, other, weight)


def fit(model: models.Classifier, stream: Stream, recipe, objective: Objective, val) -> list[dict]:
    """Train `model` in place and return a row per epoch of SCHEMAS['training'].

    Raises UserError at the first step whose loss is not finite.
    """
    device = next(model.parameters()).device
    optimizer = optimizers.Optimizer(model, recipe.optimizer)
    n_steps, step, history = recipe.epochs * stream.n_batches, 0, []
    for epoch in range(recipe.epochs):
        model.train()
        total = torch.zeros((), dtype=torch.float64, device=device)
        for batch in stream.epoch(epoch):
            share = schedules.share(step, n_steps, recipe.schedule)
            rate = share * recipe.optimizer.learning_rate
            with devices.autocast(device, recipe.precision):
                logits = model(batch.images)
            loss = objective(logits, batch)
            if not torch.isfinite(loss):
                raise UserError(f"loss is {loss.item()} at epoch {epoch}, step {step}, learning rate {rate:.4g}")
            loss.backward()
            optimizer.step(share)
            total += loss.detach() * len(batch.labels)
            step += 1
        history.append({"epoch": epoch, "learning_rate": rate, "train_loss": total.item() / len(stream._labels)})
        history[-1] |= _judge(model, val)
        print(" ".join(f"{name}={value:.5g}" for name, value in history[-1].items()), flush=True)
    return history


def label_objective(label_smoothing: float = 0.0) -> Objective:
    """Cross-entropy with the labels, mixed where the batch is."""

    def objective(logits: torch.Tensor, batch: Batch) -> torch.Tensor:
        if batch.weight is None:
            return F.cross_entropy(logits, batch.labels, label_smoothing=label_smoothing)
        return losses.mixed_cross_entropy(logits, batch.labels, batch.other_labels, batch.weight, label_smoothing)

    return objective


def distillation_objective(teacher: models.Classifier, temperature: float, alpha: float, precision: str) -> Objective:
    """Distillation from a teacher that sees the same view as the student."""
    teacher.eval()

    def objective(logits: torch.Tensor, batch: Batch) -> torch.Tensor:
        with torch.no_grad(), devices.autocast(batch.images.device, precision):
            answers = teacher(batch.images)
        return losses.distillation(logits, batch.labels, answers, temperature, alpha)

    return objective


FILES = {  # of a training script
    "train": "the training split",
    "val": "the validation split, judged after each epoch",
    "checkpoint": "written: the last epoch's weights",
    "history": "written: a row per epoch",
}


def train_to_files(job, objective: Callable[[torch.device, str], Objective], masks: np.ndarray | None = None) -> None:
    """Build a model, train it and write its checkpoint and history.

    job: the paths of FILES, a model's `settings` (with `network`, `recipe` and perhaps `mixing`), `seed` and
    `metadata`. objective: makes the loss for a device and a precision. masks: bool (n, H, W), for mixing.
    """
    train, val = datasets.read_split(job.train, "train"), datasets.read_split(job.val, "val")
    recipe, mixing = job.settings.recipe, vars(job.settings).get("mixing")
    device = devices.prepare(recipe.device, recipe.threads)
    recipe.precision = devices.precision_on(device, recipe.precision)
    _, channels, size_px, _ = train.images.shape
    shape = {"channels": channels, "size_px": size_px, "n_classes": datasets.n_classes(train)}
    model = models.build_model(job.settings.network, seed=job.seed, **shape)
    model.fit_input(inference.as_pixels(train.images[:FIT_IMAGES], torch.device("cpu")))
    model.to(device, memory_format=torch.channels_last)
    stream = Stream(train, recipe, job.seed, device, mixing, masks)
    history = fit(model, stream, recipe, objective(device, recipe.precision), val)
    metadata = job.metadata | {"shape": shape, "device": device.type, "precision": recipe.precision}
    schemas.write_rows(job.history, history, schemas.SCHEMAS["training"], metadata)
    checkpoints.save(job.checkpoint, model, metadata)


def label_smoothing_of(settings) -> Callable[[torch.device, str], Objective]:
    """Return what `train_to_files` wants as `objective` for a model that learns from labels."""
    return lambda device, precision: label_objective(settings.label_smoothing)


def teacher_of(path: Path, settings) -> Callable[[torch.device, str], Objective]:
    """Return what `train_to_files` wants as `objective` for a student of the teacher at `path`."""

    def make(device: torch.device, precision: str) -> Objective:
        teacher = checkpoints.load_model(path, device)
        return distillation_objective(teacher, settings.temperature, settings.alpha, precision)

    return make


def _judge(model: torch.nn.Module, val) -> dict:
    logits = torch.from_numpy(inference.predict_logits(model, val.images))
    labels = torch.tensor(val.labels)
    accuracy = (logits.argmax(1) == labels).double().mean().item()
    return {"val_loss": F.cross_entropy(logits, labels).item(), "val_accuracy": accuracy}


def _to(device: torch.device, drawn):
    return type(drawn)(**{name: tensor.to(device) for name, tensor in vars(drawn).items()})
