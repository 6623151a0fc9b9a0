"""What a student's training minimises: a loss of its own logits and its teacher's, which may be transformed before.

Losses (`distillation.losses`) and transforms of targets (`distillation.targets`) are modules with

    loss(logits, labels, teacher_logits, settings) -> scalar         mean over the batch, in float32
    transform(teacher_logits, batch, settings, seed) -> logits       (b, K)
    parts(logits, labels, teacher_logits, settings) -> (2,)          means over the batch, if the loss `measures_parts`
    fit(teacher_logits, labels) -> fitted                            on val, if there is anything to fit; `transform`
                                                                     gets it as `fitted`

logits, teacher_logits: (b, K). labels: (b,), or of mixed images their distributions (b, K), which cross-entropy takes
alike; methods that these mean nothing to are `of_one_label` in their settings. settings: the method's. A transform does
not touch what is stored of a teacher, so that all its students share it.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import torch
from torch.nn import functional as F

from selfdoubt.data import datasets, own_images
from selfdoubt.distillation import soft_labels, teachers
from selfdoubt.models import checkpoints, inference
from selfdoubt.runtime import methods, randomness
from selfdoubt.runtime.schemas.training import PARTS
from selfdoubt.training.losses import Objective


def of_student(job) -> Callable[[torch.device, str], Objective]:
    """Return a function that makes a student's objective for a device and a precision.

    job: a student's `settings` and `replicate`, and the paths `train`, `val`, `teacher` (of one checkpoint or more) and
    `soft_labels` (of their targets, one or none).
    """

    def make(device: torch.device, precision: str) -> Objective:
        settings = job.settings
        method = methods.load("distillation.losses", settings.loss.method)
        return FromTeacher(
            _teacher(job, device, precision),
            partial(method.loss, settings=settings.loss),
            transform_of(job, device) if settings.target_transform else None,
            _parts_of(method, settings),
            _further_loss(job) if getattr(settings, "disagreement", None) else None,
            getattr(getattr(settings, "mixing", None), "also_clean", None),
        )

    return make


class FromTeacher:
    """The objective of learning from a teacher."""

    def __init__(
        self,
        teacher,
        loss: Callable,
        transform: Callable | None = None,
        parts: Callable | None = None,
        further_loss: Callable | None = None,
        eta: float | None = None,
    ):
        """teacher: of `teachers` or `soft_labels`, with `targets(batch)`. loss: f(logits, labels, teacher_logits).

        transform: f(teacher_logits, batch) -> logits, or None. parts: f(logits, labels, teacher_logits) -> (2,), what
        is measured of each batch, or None. further_loss: f(output (b,), mutual information (b,), batch, n_classes) of a
        further output after the logits, or None where the student has none. eta: weight of the mixed images' loss
        beside that of the clean ones, which then precede them in a batch; None: images are of one kind.
        """
        self._teacher, self._loss, self._transform, self._parts = teacher, loss, transform, parts
        self._further_loss, self._eta = further_loss, eta
        self.columns = PARTS if parts else ()  # of the history, which `measured` are summed into
        self.measured: torch.Tensor | None = None  # (2,) of the last batch, means over its images

    def __call__(self, outputs: torch.Tensor, batch) -> torch.Tensor:
        targets = self._teacher.targets(batch)
        if self._eta is None:
            return self._loss_of(outputs, batch, *targets)
        n = len(batch.labels)
        clean, mixed = (
            [None if each is None else each[part] for each in targets] for part in (slice(n), slice(n, None))
        )
        unmixed = replace(batch, other_labels=batch.labels, weight=None)
        return self._loss_of(outputs[:n], unmixed, *clean) + self._eta * self._loss_of(outputs[n:], batch, *mixed)

    def _loss_of(self, outputs: torch.Tensor, batch, given: torch.Tensor, information: torch.Tensor | None):
        n_classes = given.shape[1]
        labels, logits = labels_of(batch, n_classes), outputs[:, :n_classes] if self._further_loss else outputs
        given = self._transform(given, batch) if self._transform else given
        if self._parts:
            with torch.no_grad():
                self.measured = self._parts(logits, labels, given)
        found = self._loss(logits, labels, given)
        if self._further_loss is None:
            return found
        return found + self._further_loss(outputs[:, n_classes], information, batch, n_classes)


def _parts_of(method, settings) -> Callable | None:
    """Return what measures the parts of a loss, where it has any; images with two labels have none."""
    if not hasattr(method, "parts") or getattr(settings, "mixing", None):
        return None
    return partial(method.parts, settings=settings.loss)


def _further_loss(job) -> Callable:
    module, seed = methods.load("distillation", "disagreement"), randomness.seed_of(job)

    def loss(output, information, batch, n_classes: int):
        return module.loss(output, information, batch, job.settings.disagreement, n_classes, seed)

    return loss


def labels_of(batch, n_classes: int) -> torch.Tensor:
    """Return the labels of a batch (b,), or of mixed images their distributions (b, K)."""
    if batch.weight is None:
        return batch.labels
    own, other = (F.one_hot(each, n_classes).float() for each in (batch.labels, batch.other_labels))
    return torch.lerp(other, own, batch.weight[:, None])


def _teacher(job, device: torch.device, precision: str):
    """Return what gives a student its targets: a file of them if there is one, else the teachers."""
    stored = soft_labels.read(job.soft_labels[0], device) if job.soft_labels else None
    if stored is not None:
        return stored
    asked = teachers.of_job(job, device, precision)
    if job.settings.teacher_view == "fixed":
        train, _ = own_images.read_train(job.train, job.settings, job.replicate)
        return asked.fixed(train.images, device)
    return asked


def n_views(job) -> int:
    """Return how many views of an image a student's targets need, 1 where they are in a file; job: of `of_student`."""
    stored = job.soft_labels and not soft_labels.is_refusal(job.soft_labels[0])
    return 1 if stored else getattr(job.settings, "teacher_views", 1)


def transform_of(job, device: torch.device) -> Callable:
    """Return a student's target transform, f(teacher_logits, batch) -> logits, fitted on val if it has what to fit."""
    settings = job.settings.target_transform
    method = methods.load("distillation.targets", settings.method)
    fitted = {"fitted": method.fit(*_on_val(job, device))} if hasattr(method, "fit") else {}
    return partial(method.transform, settings=settings, seed=randomness.seed_of(job), **fitted)


def _on_val(job, device: torch.device) -> tuple:
    """Return the logits of the teachers' mean probability on val, float32 (n, K), and the labels."""
    val = datasets.read_split(job.val, "val")
    models = (checkpoints.load_model(path, device) for path in job.teacher)
    logits = [torch.from_numpy(inference.predict_logits(model, val.images)) for model in models]
    return teachers.log_mean_probability(torch.stack(logits)).numpy(), val.labels
