"""What a student's training minimises: a loss of its own answers and its teacher's, which may be changed before."""

from collections.abc import Callable
from functools import partial

import torch

from selfdoubt.data import datasets
from selfdoubt.distillation import soft_labels
from selfdoubt.distillation.losses import LOSSES
from selfdoubt.distillation.targets import ANSWERS
from selfdoubt.evaluation import softmax
from selfdoubt.models import checkpoints, inference
from selfdoubt.training.objectives import Objective


def of_student(job) -> Callable[[torch.device, str], Objective]:
    """Return what makes a student's objective for a device and a precision.

    job: a student's `settings` and `replicate`, and the paths `train`, `val`, `teacher` (of one checkpoint or more) and
    `soft_labels` (as many or none).
    """

    def make(device: torch.device, precision: str) -> Objective:
        settings = job.settings
        teachers = [_teacher(job, i, device, precision) for i in range(len(job.teacher))]
        return from_teacher(
            teachers[0] if len(teachers) == 1 else soft_labels.Ensemble(teachers),
            _method(LOSSES, settings.loss),
            _change(job, device) if settings.answers else None,
        )

    return make


def from_teacher(teacher, loss: Callable, change: Callable | None = None) -> Objective:
    """Distillation from a teacher's answers.

    teacher: with `answers(batch)`, such as those of `soft_labels`. loss: f(logits, labels, teacher_logits).
    change: f(teacher_logits, batch) -> what the student is told; None: the answers.
    """

    def objective(logits: torch.Tensor, batch) -> torch.Tensor:
        answers = teacher.answers(batch)
        return loss(logits, batch.labels, change(answers, batch) if change else answers)

    return objective


def _teacher(job, i: int, device: torch.device, precision: str):
    """Return the i-th teacher, or its answers where they are stored."""
    stored = soft_labels.read(job.soft_labels[i], device) if job.soft_labels else None
    if stored is not None:
        return stored
    model = checkpoints.load_model(job.teacher[i], device)
    teacher = soft_labels.Teacher(model, precision, job.settings.top_k)
    if job.settings.teacher_view == "fixed":
        return teacher.fixed(datasets.read_split(job.train, "train").images, device)
    return teacher


def _change(job, device: torch.device) -> Callable:
    answers = job.settings.answers
    if answers.method == "temperature-scaled":
        return partial(
            ANSWERS["scaled"], seed=job.replicate, factor=1 / fitted_temperature(job.teacher, job.val, device)
        )
    return partial(_method(ANSWERS, answers), seed=job.replicate)


def fitted_temperature(teachers: list, val, device: torch.device) -> float:
    """Return the temperature of lowest NLL on val of the mean probability of teachers; both are paths."""
    split = datasets.read_split(val, "val")
    logits = [
        torch.from_numpy(inference.predict_logits(checkpoints.load_model(path, device), split.images))
        for path in teachers
    ]
    temperature = softmax.fit_temperature(soft_labels.log_mean_probability(logits).numpy(), split.labels)
    print(f"temperature of the teacher, fitted on val: {temperature:.4g}", flush=True)
    return temperature


def _method(methods: dict[str, Callable], settings) -> Callable:
    """Return a method of a registry with its settings filled in."""
    given = {name: value for name, value in vars(settings).items() if name != "method"}
    return partial(methods[settings.method], **given)
