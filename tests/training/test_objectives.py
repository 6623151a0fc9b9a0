"""What is minimised: labels as they are mixed, and how a teacher or a baseline may be regularised."""

import dataclasses
from types import SimpleNamespace

import pytest
import torch
from small_training import model_of, split_of
from torch.nn import functional as F

from selfdoubt.training import losses, objectives
from selfdoubt.training.batches import Batch


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


def objective_of(**settings):
    given = {"label_smoothing": 0.0, "confidence_penalty": 0.0, "virtual_teacher": None} | settings
    return objectives.of_label_model(SimpleNamespace(**given))


LOGITS = torch.randn(6, 3, generator=torch.Generator().manual_seed(0))


def test_a_baseline_learns_from_labels_alone_unless_it_says_otherwise():
    plain = F.cross_entropy(LOGITS, batch_of().labels).item()
    assert objective_of()(LOGITS, batch_of()).item() == plain
    smoothed = objective_of(label_smoothing=0.2)(LOGITS, batch_of()).item()
    assert smoothed == objectives.from_labels(0.2)(LOGITS, batch_of()).item() != plain


def test_a_confidence_penalty_is_a_weight_of_the_entropy():
    p = LOGITS.softmax(1)
    entropy = -(p * p.log()).sum(1).mean().item()
    for smoothing in (0.0, 0.2):
        plain = objective_of(label_smoothing=smoothing)(LOGITS, batch_of()).item()
        found = objective_of(label_smoothing=smoothing, confidence_penalty=0.3)(LOGITS, batch_of()).item()
        assert found == pytest.approx(plain - 0.3 * entropy)


def test_a_confidence_penalty_makes_less_sure():
    logits = LOGITS.clone().requires_grad_()
    (objective_of(confidence_penalty=0.3)(logits, batch_of()) - objective_of()(logits, batch_of())).backward()
    after = losses.entropies(LOGITS - 0.1 * logits.grad)
    assert (after > losses.entropies(LOGITS)).all()


def test_a_virtual_teacher_takes_the_place_of_the_labels_loss():
    settings = {"probability": 0.9, "temperature": 20.0, "alpha": 0.4}
    found = objective_of(virtual_teacher=SimpleNamespace(**settings))(LOGITS, batch_of()).item()
    assert found == losses.virtual_teacher(LOGITS, batch_of().labels, **settings).item()
