"""Losses of two or three classes, small enough to check by hand, and the objectives that are made of them."""

import dataclasses
from math import log
from types import SimpleNamespace

import pytest
import torch
from helpers import assert_close
from small_training import model_of, split_of
from torch.nn import functional as F

from selfdoubt.training import losses
from selfdoubt.training.batches import Batch
from selfdoubt.training.losses import distillation, divergence, entropies, mixed_cross_entropy, virtual_teacher

torch.set_num_threads(1)
THREE_QUARTERS = torch.tensor([[0.0, log(3)]])  # softmax (1/4, 3/4)
EVEN = torch.zeros(1, 2)


def logits(seed: int, n: int = 6, n_classes: int = 3) -> torch.Tensor:
    return torch.randn(n, n_classes, generator=torch.Generator().manual_seed(seed))


LABELS, OTHERS = torch.tensor([0, 1, 2, 0, 1, 2]), torch.tensor([1, 1, 0, 2, 0, 0])
WEIGHT = torch.tensor([0.0, 0.2, 0.4, 0.6, 0.8, 1.0])


def test_mixed_cross_entropy_by_hand():
    # -log p is log 4 for class 0 and log 4/3 for class 1; the label keeps a weight of 0.1.
    loss = mixed_cross_entropy(THREE_QUARTERS, torch.tensor([0]), torch.tensor([1]), torch.tensor([0.1]))
    assert loss.item() == pytest.approx(0.1 * log(4) + 0.9 * log(4 / 3))


def test_mixed_cross_entropy_with_label_smoothing_by_hand():
    # Smoothing by 0.2 gives the label 0.9 and the other class 0.1.
    loss = mixed_cross_entropy(THREE_QUARTERS, torch.tensor([0]), torch.tensor([1]), torch.tensor([1.0]), 0.2)
    assert loss.item() == pytest.approx(0.9 * log(4) + 0.1 * log(4 / 3))


@pytest.mark.parametrize(("smoothing", "of_first"), [(0.0, 0.4), (0.2, 0.42)])
def test_soft_labels_weight_the_classes_by_the_people_who_gave_them(smoothing, of_first):
    """Two of five people gave class 0, of probability 1/4; smoothing by 0.2 moves 0.4 to 0.8 x 0.4 + 0.1."""
    batch = Batch(None, torch.tensor([1]), None, None, label_probabilities=torch.tensor([[0.4, 0.6]]))
    objective = objective_of(labels="soft", label_smoothing=smoothing)
    assert objective(THREE_QUARTERS, batch).item() == pytest.approx(of_first * log(4) + (1 - of_first) * log(4 / 3))


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_mixing_losses_is_mixing_labels(smoothing):
    mixed = WEIGHT[:, None] * F.one_hot(LABELS, 3) + (1 - WEIGHT)[:, None] * F.one_hot(OTHERS, 3)
    expected = F.cross_entropy(logits(0), mixed, label_smoothing=smoothing)
    assert mixed_cross_entropy(logits(0), LABELS, OTHERS, WEIGHT, smoothing).item() == pytest.approx(expected.item())


def test_losses_are_means_over_the_batch():
    each = [mixed_cross_entropy(logits(0)[[i]], LABELS[[i]], OTHERS[[i]], WEIGHT[[i]]).item() for i in range(6)]
    assert mixed_cross_entropy(logits(0), LABELS, OTHERS, WEIGHT).item() == pytest.approx(sum(each) / 6)
    each = [distillation(logits(0)[[i]], LABELS[[i]], logits(1)[[i]], 4.0, 0.7).item() for i in range(6)]
    assert distillation(logits(0), LABELS, logits(1), 4.0, 0.7).item() == pytest.approx(sum(each) / 6)


def test_distillation_by_hand():
    # At temperature 2 the student predicts (1/4, 3/4) and the teacher (1/2, 1/2); at 1 the student (1/10, 9/10).
    divergence = 0.5 * log((1 / 2) / (1 / 4)) + 0.5 * log((1 / 2) / (3 / 4))
    loss = distillation(2 * THREE_QUARTERS, torch.tensor([0]), EVEN, temperature=2, alpha=0.8)
    assert loss.item() == pytest.approx(0.2 * log(10) + 0.8 * 2**2 * divergence)


def test_the_divergence_is_the_teachers_from_the_student():
    # KL((1/4, 3/4) || (1/2, 1/2)) is not the KL of the other way round.
    forwards = 0.25 * log(1 / 2) + 0.75 * log(3 / 2)
    assert distillation(EVEN, torch.tensor([0]), THREE_QUARTERS, 1, 1.0).item() == pytest.approx(forwards)
    assert distillation(THREE_QUARTERS, torch.tensor([0]), EVEN, 1, 1.0).item() != pytest.approx(forwards, rel=0.01)


@pytest.mark.parametrize("temperature", [0.5, 1, 4])
def test_a_student_equal_to_its_teacher_learns_nothing_from_it(temperature):
    student = logits(0).requires_grad_()
    loss = distillation(student, LABELS, logits(0) + 5.0, temperature, alpha=1.0)  # a shift changes no probability
    loss.backward()
    assert loss.item() == pytest.approx(0, abs=1e-5)
    assert student.grad.abs().max() < 1e-6


def test_alpha_0_is_the_labels_loss_and_alpha_1_ignores_the_labels():
    assert distillation(logits(0), LABELS, logits(1), 4, 0.0).item() == F.cross_entropy(logits(0), LABELS).item()
    assert distillation(logits(0), LABELS, logits(1), 4, 1.0) == distillation(logits(0), OTHERS, logits(1), 4, 1.0)


def test_the_temperature_does_not_change_the_size_of_the_gradient():
    sizes = []
    for temperature in (50.0, 100.0):
        student = logits(0).requires_grad_()
        distillation(student, LABELS, logits(1), temperature, alpha=1.0).backward()
        sizes.append(student.grad.norm().item())
    # Both are near the limit of high temperatures, (student - teacher, centred) / classes / batch.
    gap = logits(0) - logits(1)
    limit = ((gap - gap.mean(1, keepdim=True)) / 3 / 6).norm().item()
    assert sizes == pytest.approx([limit, limit], rel=0.05)


def test_a_temperature_of_each_image_is_that_images():
    each = [divergence(logits(0)[[i]], logits(1)[[i]], 1.0 + i).item() for i in range(6)]
    found = divergence(logits(0), logits(1), torch.arange(1.0, 7.0)[:, None])
    assert found.tolist() == pytest.approx(each)


def test_entropies_by_hand():
    expected = [log(2), log(4) / 4 + 3 * log(4 / 3) / 4]
    assert entropies(torch.cat([EVEN, THREE_QUARTERS])).tolist() == pytest.approx(expected)
    assert entropies(torch.tensor([[0.0, 1000.0]])).tolist() == [0.0]  # and not 0 log 0


def test_a_virtual_teacher_by_hand():
    # The target is (0.8, 0.1, 0.1), softened by 2 in proportion to the roots, sqrt 8 to 1; the student is even.
    target = torch.tensor([8**0.5, 1, 1]) / (8**0.5 + 2)
    divergence_by_hand = (target * (3 * target).log()).sum().item()
    loss = virtual_teacher(torch.zeros(1, 3), torch.tensor([0]), probability=0.8, temperature=2, alpha=0.25)
    assert loss.item() == pytest.approx(0.75 * log(3) + 0.25 * 2**2 * divergence_by_hand)


def test_a_virtual_teacher_at_temperature_1_has_the_gradient_of_label_smoothing():
    # alpha (0.7, 0.15, 0.15) + (1 - alpha) (1, 0, 0) with alpha 0.5 is (0.85, 0.075, 0.075): smoothing by 3 * 0.075.
    one, other = logits(0).requires_grad_(), logits(0).requires_grad_()
    virtual_teacher(one, LABELS, probability=0.7, temperature=1, alpha=0.5).backward()
    F.cross_entropy(other, LABELS, label_smoothing=0.225).backward()
    assert_close(one.grad, other.grad)


# ---- objectives ----


def batch_of(weight=None) -> Batch:
    images = torch.from_numpy(split_of(6).images).float() / 255
    labels = torch.from_numpy(split_of(6).labels)
    return Batch(images, labels, labels if weight is None else labels.flip(0), weight)


def test_the_label_objective_weighs_labels_where_the_batch_is_mixed():
    logits, plain = model_of()(batch_of().images).detach(), losses.from_labels(0.1)
    one = plain(logits, batch_of()).item()
    assert plain(logits, batch_of(torch.ones(6))).item() == pytest.approx(one)
    other = plain(logits, dataclasses.replace(batch_of(), labels=batch_of().labels.flip(0))).item()
    assert plain(logits, batch_of(torch.full((6,), 0.25))).item() == pytest.approx(0.25 * one + 0.75 * other)
    assert losses.from_labels(0.0)(logits, batch_of()).item() != pytest.approx(one)


def objective_of(**settings):
    given = {"label_smoothing": 0.0, "confidence_penalty": 0.0, "virtual_teacher": None} | settings
    return losses.of_label_model(SimpleNamespace(**given))


LOGITS = torch.randn(6, 3, generator=torch.Generator().manual_seed(0))


def test_without_regularisation_the_objective_is_cross_entropy():
    plain = F.cross_entropy(LOGITS, batch_of().labels).item()
    assert objective_of()(LOGITS, batch_of()).item() == plain
    smoothed = objective_of(label_smoothing=0.2)(LOGITS, batch_of()).item()
    assert smoothed == losses.from_labels(0.2)(LOGITS, batch_of()).item() != plain


def test_a_confidence_penalty_is_a_weight_of_the_entropy():
    p = LOGITS.softmax(1)
    entropy = -(p * p.log()).sum(1).mean().item()
    for smoothing in (0.0, 0.2):
        plain = objective_of(label_smoothing=smoothing)(LOGITS, batch_of()).item()
        found = objective_of(label_smoothing=smoothing, confidence_penalty=0.3)(LOGITS, batch_of()).item()
        assert found == pytest.approx(plain - 0.3 * entropy)


def test_a_confidence_penalty_lowers_confidence():
    logits = LOGITS.clone().requires_grad_()
    (objective_of(confidence_penalty=0.3)(logits, batch_of()) - objective_of()(logits, batch_of())).backward()
    after = losses.entropies(LOGITS - 0.1 * logits.grad)
    assert (after > losses.entropies(LOGITS)).all()


def test_a_virtual_teacher_takes_the_place_of_the_labels_loss():
    settings = {"probability": 0.9, "temperature": 20.0, "alpha": 0.4}
    found = objective_of(virtual_teacher=SimpleNamespace(**settings))(LOGITS, batch_of()).item()
    assert found == losses.virtual_teacher(LOGITS, batch_of().labels, **settings).item()
