"""What a student's training minimises: a loss of its own logits and its teacher's, which may be transformed before.

Losses (`distillation.losses`) and transforms of targets (`distillation.targets`) are modules with

    loss(logits, labels, teacher_logits, settings) -> scalar         mean over the batch, in float32
    transform(teacher_logits, batch, settings, seed) -> logits       (b, K)
    parts(logits, labels, teacher_logits, settings) -> (2,)          means over the batch, if the loss `measures_parts`
    fit(teacher_logits, labels) -> fitted                            on val, if there is anything to fit; `transform`
                                                                     gets it as `fitted`

logits, teacher_logits: (b, K). labels: (b,). settings: the method's. A transform does not touch what is stored of a
teacher, so that all its students share it.
"""

from collections.abc import Callable
from functools import partial

import torch

from selfdoubt.data import datasets, own_images
from selfdoubt.distillation import soft_labels
from selfdoubt.models import checkpoints, inference
from selfdoubt.runtime import methods, randomness
from selfdoubt.runtime.schemas.training import PARTS
from selfdoubt.training.losses import Objective


def of_student(job) -> Callable[[torch.device, str], Objective]:
    """Return a function that makes a student's objective for a device and a precision.

    job: a student's `settings` and `replicate`, and the paths `train`, `val`, `teacher` (of one checkpoint or more) and
    `soft_labels` (as many or none).
    """

    def make(device: torch.device, precision: str) -> Objective:
        settings = job.settings
        teachers = [_teacher(job, i, device, precision) for i in range(len(job.teacher))]
        method = methods.load("distillation.losses", settings.loss.method)
        return FromTeacher(
            teachers[0] if len(teachers) == 1 else soft_labels.Ensemble(teachers),
            partial(method.loss, settings=settings.loss),
            transform_of(job, device) if settings.target_transform else None,
            partial(method.parts, settings=settings.loss) if hasattr(method, "parts") else None,
        )

    return make


class FromTeacher:
    """The objective of learning from a teacher."""

    def __init__(self, teacher, loss: Callable, transform: Callable | None = None, parts: Callable | None = None):
        """teacher: one of `soft_labels`, with `targets(batch)`. loss: f(logits, labels, targets).

        transform: f(targets, batch) -> targets, or None. parts: f(logits, labels, targets) -> (2,), what is measured
        of each batch, or None.
        """
        self._teacher, self._loss, self._transform, self._parts = teacher, loss, transform, parts
        self.columns = PARTS if parts else ()  # of the history, which `measured` are summed into
        self.measured: torch.Tensor | None = None  # (2,) of the last batch, means over its images

    def __call__(self, logits: torch.Tensor, batch) -> torch.Tensor:
        targets = self._teacher.targets(batch)
        targets = self._transform(targets, batch) if self._transform else targets
        if self._parts:
            with torch.no_grad():
                self.measured = self._parts(logits, batch.labels, targets)
        return self._loss(logits, batch.labels, targets)


def _teacher(job, i: int, device: torch.device, precision: str):
    """Return the i-th teacher: its stored logits if there are any, else the model."""
    stored = soft_labels.read(job.soft_labels[i], device) if job.soft_labels else None
    if stored is not None:
        return stored
    model = checkpoints.load_model(job.teacher[i], device)
    teacher = soft_labels.Teacher(model, precision, job.settings.top_k)
    if job.settings.teacher_view == "fixed":
        train, _ = own_images.read_train(job.train, job.settings, job.replicate)
        return teacher.fixed(train.images, device)
    return teacher


def transform_of(job, device: torch.device) -> Callable:
    """Return a student's target transform, f(targets, batch) -> targets, fitted on val if it has anything to fit."""
    settings = job.settings.target_transform
    method = methods.load("distillation.targets", settings.method)
    fitted = {"fitted": method.fit(*_on_val(job, device))} if hasattr(method, "fit") else {}
    return partial(method.transform, settings=settings, seed=randomness.seed_of(job), **fitted)


def _on_val(job, device: torch.device) -> tuple:
    """Return the logits of the teachers' mean probability on val, float32 (n, K), and the labels."""
    val = datasets.read_split(job.val, "val")
    models = (checkpoints.load_model(path, device) for path in job.teacher)
    logits = [torch.from_numpy(inference.predict_logits(model, val.images)) for model in models]
    return soft_labels.log_mean_probability(logits).numpy(), val.labels
