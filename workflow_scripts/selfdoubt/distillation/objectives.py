"""What a student's training minimises: a loss of its own logits and its teacher's, which may be transformed before.

Losses (`distillation.losses`) and transforms of targets (`distillation.targets`) are modules with

    loss(logits, labels, teacher_logits, settings) -> scalar         mean over the batch, in float32
    transform(teacher_logits, batch, settings, seed) -> logits       (b, K)
    fit(teacher_logits, labels) -> fitted                            on val, if there is anything to fit; `transform`
                                                                     gets it as `fitted`

logits, teacher_logits: (b, K). labels: (b,), or of mixed images their distributions (b, K), which cross-entropy takes
alike; methods that these mean nothing to are `of_one_label` in their settings. settings: the method's. A transform does
not touch what is stored of a teacher, so that all its students share it.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch.nn import functional as F

from selfdoubt.data import datasets, own_images
from selfdoubt.distillation import soft_labels, teachers
from selfdoubt.models import checkpoints, inference
from selfdoubt.runtime import methods, randomness
from selfdoubt.training.losses import Objective


def of_student(job) -> Callable[[torch.device, str], Objective]:
    """Return a function that makes a student's objective for a device and a precision.

    job: a student's `settings` and `replicate`, and the paths `train`, `val`, `teacher` (of one checkpoint or more) and
    `soft_labels` (of their targets, one or none).
    """

    def make(device: torch.device, precision: str) -> Objective:
        settings = job.settings
        return from_teacher(
            _teacher(job, device, precision),
            partial(methods.load("distillation.losses", settings.loss.method).loss, settings=settings.loss),
            transform_of(job, device) if settings.target_transform else None,
            _further_loss(job) if getattr(settings, "disagreement", None) else None,
        )

    return make


def from_teacher(
    teacher, loss: Callable, transform: Callable | None = None, further_loss: Callable | None = None
) -> Objective:
    """Return the objective of learning from a teacher.

    teacher: of `teachers` or `soft_labels`, with `targets(batch)`. loss: f(logits, labels, teacher_logits). transform:
    f(teacher_logits, batch) -> logits, or None. further_loss: f(output (b,), mutual information (b,), batch, n_classes)
    of a further output after the logits, or None where the student has none.
    """

    def objective(outputs: torch.Tensor, batch) -> torch.Tensor:
        given, information = teacher.targets(batch)
        n_classes = given.shape[1]
        logits = outputs[:, :n_classes] if further_loss else outputs
        found = loss(logits, labels_of(batch, n_classes), transform(given, batch) if transform else given)
        return found + further_loss(outputs[:, n_classes], information, batch, n_classes) if further_loss else found

    return objective


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
