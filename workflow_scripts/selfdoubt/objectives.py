"""What training minimises: functions of a batch's logits that compose losses with labels and teachers."""

from collections.abc import Callable
from pathlib import Path

import torch
from torch.nn import functional as F

from selfdoubt import checkpoints, losses, soft_labels
from selfdoubt.streams import Batch

Objective = Callable[[torch.Tensor, Batch], torch.Tensor]  # (logits, batch) -> scalar, the mean over the batch


def from_labels(label_smoothing: float = 0.0) -> Objective:
    """Cross-entropy with the labels, mixed where the batch is."""

    def objective(logits: torch.Tensor, batch: Batch) -> torch.Tensor:
        if batch.weight is None:
            return F.cross_entropy(logits, batch.labels, label_smoothing=label_smoothing)
        return losses.mixed_cross_entropy(logits, batch.labels, batch.other_labels, batch.weight, label_smoothing)

    return objective


def from_teacher(teacher, temperature: float, alpha: float) -> Objective:
    """Distillation from answers to the same view that the student sees.

    teacher: `soft_labels.Teacher`, which is asked, or `soft_labels.SoftLabels`, where its answers are stored.
    """

    def objective(logits: torch.Tensor, batch: Batch) -> torch.Tensor:
        return losses.distillation(logits, batch.labels, teacher.answers(batch), temperature, alpha)

    return objective


def of_student(settings, teacher: Path, stored: Path | None) -> Callable[[torch.device, str], Objective]:
    """Return what makes a student's objective for a device and a precision.

    settings: a student's. teacher: its checkpoint. stored: its soft labels, if they are.
    """

    def make(device: torch.device, precision: str) -> Objective:
        source = soft_labels.read(stored, device) if stored else None
        if source is None:
            source = soft_labels.Teacher(checkpoints.load_model(teacher, device), precision, settings.top_k)
        return from_teacher(source, settings.temperature, settings.alpha)

    return make
