"""What is minimised: labels as they are mixed, and what a teacher says of the same view."""

import dataclasses

import pytest
import torch
from small_training import model_of, split_of
from torch import nn

from selfdoubt import objectives
from selfdoubt.soft_labels import Teacher
from selfdoubt.streams import Batch


def batch_of(weight=None) -> Batch:
    images = torch.from_numpy(split_of(6).images).float() / 255
    labels = torch.from_numpy(split_of(6).labels)
    return Batch(images, labels, labels if weight is None else labels.flip(0), weight)


def test_the_label_objective_weighs_labels_where_the_batch_is_mixed():
    logits, plain = model_of()(batch_of().images).detach(), objectives.from_labels(0.1)
    one = plain(logits, batch_of()).item()
    assert plain(logits, batch_of(torch.ones(6))).item() == pytest.approx(one)
    other = plain(logits, dataclasses.replace(batch_of(), labels=batch_of().labels.flip(0))).item()
    assert plain(logits, batch_of(torch.full((6,), 0.25))).item() == pytest.approx(0.25 * one + 0.75 * other)
    assert objectives.from_labels(0.0)(logits, batch_of()).item() != pytest.approx(one)


def linear_model(seed: int = 0) -> nn.Module:
    """A model whose logits differ between images by about 1."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(256, 3))
    model[2].weight.data *= 3
    return model


def test_a_student_equal_to_its_teacher_has_nothing_to_learn():
    teacher = linear_model().train()
    objective = objectives.from_teacher(Teacher(teacher, "float32"), temperature=4, alpha=1.0)
    logits = linear_model().eval()(batch_of().images).detach().requires_grad_()
    loss = objective(logits, batch_of())
    loss.backward()
    # the teacher answers in float16, so about 1e-3 of its logits is lost
    assert loss.item() == pytest.approx(0, abs=1e-4) and logits.grad.abs().max() < 1e-3
    assert not teacher.training and all(weight.grad is None for weight in teacher.parameters())
    assert objective(linear_model(1).eval()(batch_of().images), batch_of()).item() > 0.01


def test_the_teacher_sees_the_view_of_the_student():
    objective = objectives.from_teacher(Teacher(linear_model(), "float32"), temperature=1, alpha=1.0)
    logits, other = (
        linear_model().eval()(batch_of().images),
        dataclasses.replace(batch_of(), images=batch_of().images / 2),
    )
    assert objective(logits, batch_of()).item() == pytest.approx(0, abs=1e-5)
    assert objective(logits, other).item() > 0.01
