"""What students learn from: each loss against loops over images and classes, and where it becomes another one."""

from math import exp, log
from types import SimpleNamespace

import pytest
import torch
from torch.nn import functional as F

from selfdoubt.distillation.indices import other_classes
from selfdoubt.runtime import methods
from selfdoubt.training import losses

torch.set_num_threads(1)
LABELS = torch.tensor([0, 1, 2, 3, 1])


def logits(seed: int, n_classes: int = 4) -> torch.Tensor:
    return 2 * torch.randn(5, n_classes, generator=torch.Generator().manual_seed(seed))


STUDENT, TEACHER = logits(0), logits(1)
SETTINGS = {  # of each method, some
    "kd": {"temperature": 3.0, "alpha": 0.7},
    "dkd": {"temperature": 3.0, "alpha": 0.5, "beta": 2.0},
    "hard": {"alpha": 0.7},
    "logits": {"alpha": 0.7},
    "cwtm": {},
    "ranked": {"temperature": 3.0, "alpha": 0.7, "weight": 2.0, "margin": 0.5},
    "adaptive-temperature": {"temperature_at_margin_0": 2.0, "temperature_at_margin_1": 5.0, "alpha": 0.7},
}


def loss_of(method: str, student=STUDENT, labels=LABELS, teacher=TEACHER, **settings) -> torch.Tensor:
    loss = methods.load("distillation.losses", method).loss
    return loss(student, labels, teacher, SimpleNamespace(**(SETTINGS[method] | settings)))


def softmax(row: list[float], temperature: float = 1.0) -> list[float]:
    raised = [exp(z / temperature) for z in row]
    return [each / sum(raised) for each in raised]


def kl(p: list[float], q: list[float]) -> float:
    return sum(a * log(a / b) for a, b in zip(p, q, strict=True) if a > 0)


def labels_alone() -> float:
    return F.cross_entropy(STUDENT, LABELS).item()


# ---- decoupled distillation ----


def halves(temperature: float) -> list[tuple[float, float, float]]:
    """TCKD, NCKD and the teacher's probability of the label, for each image, class by class."""
    found = []
    for student, teacher, y in zip(STUDENT.tolist(), TEACHER.tolist(), LABELS.tolist(), strict=True):
        p, q = softmax(teacher, temperature), softmax(student, temperature)
        others = [k for k in range(4) if k != y]
        among = kl([p[k] / (1 - p[y]) for k in others], [q[k] / (1 - q[y]) for k in others])
        found.append((kl([p[y], 1 - p[y]], [q[y], 1 - q[y]]), among, p[y]))
    return found


@pytest.mark.parametrize(("alpha", "beta"), [(1.0, 0.0), (0.0, 1.0), (0.5, 8.0)])
def test_decoupled_distillation_class_by_class(alpha, beta):
    expected = sum(alpha * tckd + beta * nckd for tckd, nckd, _ in halves(3.0)) / 5
    found = loss_of("dkd", alpha=alpha, beta=beta)
    assert found.item() == pytest.approx(labels_alone() + 3.0**2 * expected, rel=1e-5)


def test_the_halves_make_up_the_divergence():
    each = [tckd + (1 - p_label) * nckd for tckd, nckd, p_label in halves(3.0)]
    assert losses.divergence(STUDENT, TEACHER, 3.0).tolist() == pytest.approx([9 * value for value in each], rel=1e-4)


@pytest.mark.parametrize("method", ["kd", "dkd"])
def test_the_history_has_the_mean_halves_without_the_squared_temperature(method):
    parts = methods.load("distillation.losses", method).parts
    found = parts(STUDENT, LABELS, TEACHER, SimpleNamespace(**SETTINGS[method]))
    expected = [sum(each[i] for each in halves(3.0)) / 5 for i in (0, 1)]
    assert found.tolist() == pytest.approx(expected, rel=1e-4)


def test_of_two_classes_there_is_nothing_but_the_label_against_the_rest():
    student, teacher, labels = logits(0, 2), logits(1, 2), LABELS % 2
    whole = F.cross_entropy(student, labels) + losses.divergence(student, teacher, 3.0).mean()
    for beta in (0.0, 8.0):
        found = loss_of("dkd", student, labels, teacher, alpha=1.0, beta=beta)
        assert found.item() == pytest.approx(whole.item())


def test_decoupled_distillation_of_a_confident_teacher_is_finite():
    student = STUDENT.clone().requires_grad_()
    loss = loss_of("dkd", student, teacher=60 * F.one_hot(LABELS, 4).float(), temperature=1.0)
    loss.backward()
    assert loss.isfinite() and student.grad.isfinite().all()


# ---- hard targets, and weights of images ----


def test_hard_targets_are_labels():
    predicted = TEACHER.argmax(1)
    assert not torch.equal(predicted, LABELS)
    assert loss_of("hard", alpha=1.0).item() == F.cross_entropy(STUDENT, predicted).item()
    assert loss_of("hard", alpha=0.0).item() == labels_alone()
    expected = 0.3 * labels_alone() + 0.7 * F.cross_entropy(STUDENT, predicted).item()
    assert loss_of("hard", alpha=0.7).item() == pytest.approx(expected)


# Centred, (2, 0) is (1, -1) and (5, 11) is (-3, 3): half the mean of 16 and 16. (0, 2) and (3, 5) are equal.
def test_logits_are_matched_but_for_a_constant_of_each_image():
    student, teacher = torch.tensor([[2.0, 0.0], [0.0, 2.0]]), torch.tensor([[5.0, 11.0], [3.0, 5.0]])
    labels = torch.tensor([0, 1])
    assert loss_of("logits", student, labels, teacher, alpha=1.0).item() == pytest.approx((8 + 0) / 2)
    of_labels = log(1 + exp(-2))
    expected = 0.75 * of_labels + 0.25 * 4
    assert loss_of("logits", student, labels, teacher, alpha=0.25).item() == pytest.approx(expected, rel=1e-5)


def test_matched_logits_are_distillation_at_a_high_temperature():
    found, exact = loss_of("logits", alpha=0.7).item(), {"student": STUDENT.double(), "teacher": TEACHER.double()}
    assert found == pytest.approx(loss_of("kd", **exact, temperature=1000.0).item(), rel=1e-2)
    assert found != pytest.approx(loss_of("kd", temperature=3.0).item(), rel=1e-2)


def test_weights_are_the_teachers_largest_probabilities_over_their_sum():
    tops = [max(softmax(row)) for row in TEACHER.tolist()]
    each = [-log(softmax(row)[y]) for row, y in zip(STUDENT.tolist(), LABELS.tolist(), strict=True)]
    expected = sum(w * value for w, value in zip(tops, each, strict=True)) / sum(tops)
    assert loss_of("cwtm").item() == pytest.approx(expected)
    assert loss_of("cwtm").item() != pytest.approx(labels_alone(), rel=1e-3)


def test_a_teacher_equally_confident_in_all_images_weighs_none():
    alike = torch.stack([TEACHER[0].roll(shift) for shift in range(5)])
    assert loss_of("cwtm", teacher=alike).item() == pytest.approx(labels_alone())


# ---- ranking ----


def disorder(margin: float) -> float:
    """The pairwise loss, pair by pair."""
    k = [max(softmax(row)) for row in STUDENT.tolist()]
    c = [softmax(row)[y] for row, y in zip(TEACHER.tolist(), LABELS.tolist(), strict=True)]
    pairs = [(i, j) for i in range(5) for j in range(5) if c[i] > c[j]]
    return sum(max(0, margin * (c[i] - c[j]) - (k[i] - k[j])) for i, j in pairs) / len(pairs)


@pytest.mark.parametrize("margin", [0.0, 0.5, 2.0])
def test_the_ranking_pair_by_pair(margin):
    found = loss_of("ranked", weight=2.0, margin=margin).item() - loss_of("kd").item()
    assert found == pytest.approx(2 * disorder(margin), rel=1e-4) and disorder(margin) > 0


def test_without_weight_ranking_is_distillation():
    assert loss_of("ranked", weight=0.0).item() == loss_of("kd").item()


RISING = torch.tensor([[1.0, 0, 0, 0], [2.0, 0, 0, 0], [3.0, 0, 0, 0]])
OF_ONE_CLASS = torch.zeros(3, dtype=torch.long)


@pytest.mark.parametrize(("order", "costs"), [([0, 1, 2], False), ([1, 0, 2], True), ([2, 1, 0], True)])
def test_confidences_in_the_teachers_order_cost_nothing_without_a_margin(order, costs):
    settings = {"student": RISING[order], "labels": OF_ONE_CLASS, "teacher": 2 * RISING}
    assert (loss_of("ranked", **settings, margin=0.0).item() > loss_of("kd", **settings).item() + 0.01) == costs


def test_a_teacher_that_finds_all_images_alike_orders_none():
    settings = {"student": RISING, "labels": OF_ONE_CLASS, "teacher": RISING[[1, 1, 1]]}
    assert loss_of("ranked", **settings, margin=9.0).item() == loss_of("kd", **settings).item()


def test_ranking_makes_the_student_more_confident_in_the_easier_image():
    student = torch.tensor([[1.0, 0.0], [1.0, 0.0]], requires_grad=True)
    teacher, labels = torch.tensor([[3.0, 0.0], [1.0, 0.0]]), torch.zeros(2, dtype=torch.long)
    loss_of("ranked", student, labels, teacher, alpha=0.0, weight=100.0).backward()
    assert student.grad[0, 0] < 0 < student.grad[1, 0]  # descent raises the first one's confidence


# ---- a temperature of each image ----


def test_each_image_has_the_temperature_of_its_margin():
    expected = 0.3 * labels_alone()
    for student, teacher in zip(STUDENT.tolist(), TEACHER.tolist(), strict=True):
        second, first = sorted(softmax(teacher))[-2:]
        tau = 2 + (5 - 2) * (first - second)
        expected += 0.7 * tau**2 * kl(softmax(teacher, tau), softmax(student, tau)) / 5
    assert loss_of("adaptive-temperature").item() == pytest.approx(expected, rel=1e-5)


def test_where_the_ends_are_equal_the_temperature_is_one_for_all():
    found = loss_of("adaptive-temperature", temperature_at_margin_0=3.0, temperature_at_margin_1=3.0)
    assert found.item() == pytest.approx(loss_of("kd").item())


# ---- all ----


@pytest.mark.parametrize("method", SETTINGS)
def test_the_gradient_is_the_students_alone(method):
    student, teacher = STUDENT.clone().requires_grad_(), TEACHER.clone()
    loss = loss_of(method, student, teacher=teacher)
    loss.backward()
    assert loss.ndim == 0 and student.grad.abs().sum() > 0.01
    assert torch.equal(teacher, TEACHER)


@pytest.mark.parametrize("method", SETTINGS)
def test_the_order_of_a_batch_means_nothing(method):
    order = torch.tensor([3, 1, 4, 0, 2])
    moved = loss_of(method, STUDENT[order], LABELS[order], TEACHER[order])
    assert moved.item() == pytest.approx(loss_of(method).item(), rel=1e-5)


def test_other_classes():
    assert other_classes(torch.tensor([0, 2, 1]), 3).tolist() == [[1, 2], [0, 1], [0, 2]]
