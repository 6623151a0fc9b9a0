"""Target transforms: what each keeps of the teacher's logits, and what not."""

from itertools import permutations
from types import SimpleNamespace

import pytest
import torch
from helpers import assert_close
from torch.nn import functional as F

from selfdoubt.runtime import methods
from selfdoubt.training import losses

torch.set_num_threads(1)
N, K = 60, 5
LOGITS = 3 * torch.randn(N, K, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(N) % 3
SETTINGS = {
    "permuted": {"permutation": "per-sample"},
    "corrected": {},
    "scaled": {"factor": 3.0},
    "entropy-shuffled": {"temperature": 1.0},
    "difficulty-shuffled": {},
}


def batch_of(rows: slice = slice(0, N), epoch: int = 0) -> SimpleNamespace:
    return SimpleNamespace(labels=LABELS[rows], epoch=epoch, rows=rows)


def targets(method: str, rows: slice = slice(0, N), epoch: int = 0, seed: int = 1, logits=LOGITS, **settings):
    return transform(method, logits[rows], batch_of(rows, epoch), seed, **settings)


def transform(method: str, logits, batch, seed: int = 1, **settings):
    settings = SimpleNamespace(**(SETTINGS[method] | settings))
    return methods.load("distillation.targets", method).transform(logits, batch, settings, seed)


# ---- permuted ----


@pytest.mark.parametrize("permutation", ["fixed", "per-sample"])
def test_a_permutation_keeps_the_predicted_class_and_every_probability(permutation):
    found = targets("permuted", permutation=permutation)
    assert torch.equal(found.argmax(1), LOGITS.argmax(1)) and torch.equal(found.max(1).values, LOGITS.max(1).values)
    assert torch.equal(found.sort(1).values, LOGITS.sort(1).values)
    assert (found != LOGITS).any(1).float().mean() > 0.8  # of 4! permutations one changes nothing


def moves(logits, found) -> list[tuple]:
    """The class whose probability each class has, for each image."""
    return [tuple(row.tolist().index(z) for z in after.tolist()) for row, after in zip(logits, found, strict=True)]


def test_a_fixed_permutation_is_one_for_each_predicted_class():
    by_class = [set() for _ in range(K)]
    for epoch in (0, 1):
        found = moves(LOGITS, targets("permuted", epoch=epoch, permutation="fixed"))
        for top, move in zip(LOGITS.argmax(1), found, strict=True):
            by_class[top].add(move)
    assert [len(found) for found in by_class] == [1] * K
    assert len(set.union(*by_class)) > 1
    assert not torch.equal(targets("permuted", permutation="fixed"), targets("permuted", permutation="fixed", seed=2))


def test_permutations_per_sample_are_drawn_anew_for_each_view_and_each_as_often():
    logits = torch.tensor([[9.0, 1, 2, 3, 4]]).expand(6000, K)
    batch = SimpleNamespace(labels=torch.zeros(6000), epoch=0, rows=slice(0, 6000))
    found = moves(logits, transform("permuted", logits, batch))
    counts = [found.count((0, *order)) for order in permutations(range(1, K))]
    assert sum(counts) == 6000 and min(counts) > 190 and max(counts) < 310  # 250 each, four deviations of 15.5
    assert not torch.equal(targets("permuted"), targets("permuted", epoch=1))


def test_of_two_classes_there_is_nothing_to_permute():
    for permutation in ("fixed", "per-sample"):
        found = targets("permuted", logits=LOGITS[:, :2], permutation=permutation)
        assert torch.equal(found, LOGITS[:, :2])


# ---- corrected, scaled ----


def test_a_correction_swaps_two_probabilities_where_the_teacher_is_incorrect():
    found = targets("corrected")
    for row, after, y in zip(LOGITS.tolist(), found.tolist(), LABELS.tolist(), strict=True):
        top = max(range(K), key=row.__getitem__)
        row[y], row[top] = row[top], row[y]
        assert after == row
    assert torch.equal(found.argmax(1), LABELS)
    correct = LOGITS.argmax(1) == LABELS
    assert 0 < correct.sum() < N and torch.equal(found[correct], LOGITS[correct])


def test_a_factor_changes_the_confidence_and_not_the_class():
    found = targets("scaled", factor=3.0)
    assert torch.equal(found, 3 * LOGITS) and torch.equal(found.argmax(1), LOGITS.argmax(1))
    assert (losses.entropies(found) < losses.entropies(LOGITS)).all()
    assert_close((targets("scaled", factor=0.25) * 4), LOGITS)


# ---- entropies of others ----


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_entropies_are_those_of_others_of_the_same_label(temperature):
    found = targets("entropy-shuffled", temperature=temperature)
    before, after = (losses.entropies(logits.double() / temperature) for logits in (LOGITS, found))
    for label in range(3):
        own = label == LABELS
        assert_close(after[own].sort().values, before[own].sort().values, rtol=0, atol=1e-5)
    assert ((after - before).abs() < 1e-5).float().mean() < 0.3  # an image may be its own partner: one of 20 is


def test_with_another_entropy_a_target_keeps_the_order_of_its_classes():
    found = targets("entropy-shuffled")
    assert found.dtype == torch.float32
    factor = (found / LOGITS)[:, :1]
    assert factor.min() > 0
    assert_close(found, factor * LOGITS)


def test_partners_are_drawn_anew_in_each_epoch():
    assert not torch.equal(targets("entropy-shuffled"), targets("entropy-shuffled", epoch=1))
    assert not torch.equal(targets("entropy-shuffled"), targets("entropy-shuffled", seed=2))


def test_an_image_alone_with_its_label_keeps_its_entropy():
    rows = slice(0, 3)
    assert_close(targets("entropy-shuffled", rows), LOGITS[rows])


def test_an_entropy_that_cannot_be_reached_is_neared():
    # Two equal largest logits: no factor brings (1, 1, 0, ...) below log 2, so that it gets as near as it can.
    logits = torch.tensor([[1.0, 1, 0, 0, 0], [40.0, 0, 0, 0, 0]])
    batch = SimpleNamespace(labels=torch.zeros(2, dtype=torch.long), epoch=0, rows=slice(0, 2))
    partners_swapped = 0
    for seed in range(8):
        found = losses.entropies(transform("entropy-shuffled", logits, batch, seed))
        assert found.isfinite().all()
        if found[1] > 0.1:
            partners_swapped += 1
            assert found.tolist() == pytest.approx([0.6931, losses.entropies(logits)[0].item()], abs=1e-3)
    assert 0 < partners_swapped < 8


# ---- the label's probabilities of others ----


def test_the_labels_probability_is_anothers_and_the_rest_is_ones_own():
    # (.5, .3, .2) and (.8, .1, .1) of class 0 change places: 0.2 is divided 3 : 2, 0.5 evenly.
    p = torch.tensor([[0.5, 0.3, 0.2], [0.8, 0.1, 0.1]])
    batch = SimpleNamespace(labels=torch.zeros(2, dtype=torch.long), epoch=0, rows=slice(0, 2))
    found = [transform("difficulty-shuffled", p.log() + 7, batch, seed).softmax(1) for seed in range(8)]
    swapped = torch.tensor([[0.8, 0.12, 0.08], [0.5, 0.25, 0.25]])
    assert {torch.allclose(each, swapped) for each in found} == {True, False}
    assert all(torch.allclose(each, swapped) or torch.allclose(each, p) for each in found)


def test_difficulties_change_places_within_a_label():
    before, after = (
        logits.softmax(1).gather(1, LABELS[:, None])[:, 0] for logits in (LOGITS, targets("difficulty-shuffled"))
    )
    for label in range(3):
        assert_close(after[label == LABELS].sort().values, before[label == LABELS].sort().values)
    assert ((after - before).abs() < 1e-5).float().mean() < 0.3
    assert not torch.equal(targets("difficulty-shuffled"), targets("difficulty-shuffled", epoch=1))


def test_a_confident_teacher_has_finite_targets():
    batch = SimpleNamespace(labels=torch.zeros(2, dtype=torch.long), epoch=0, rows=slice(0, 2))
    logits = torch.tensor([[200.0, 0, 0], [0.0, 200, 0]])
    assert all(transform("difficulty-shuffled", logits, batch, seed).isfinite().all() for seed in range(4))


# ---- all ----


@pytest.mark.parametrize("method", SETTINGS)
def test_the_teachers_own_logits_stay_as_they_are(method):
    before = LOGITS.clone()
    assert not torch.equal(targets(method), before)
    assert torch.equal(LOGITS, before)


@pytest.mark.parametrize("method", ["permuted", "corrected", "scaled"])
def test_a_target_does_not_depend_on_its_batch(method):
    whole = targets(method)
    for rows in (slice(0, 7), slice(7, 20), slice(21, N, 2)):
        assert torch.equal(targets(method, rows), whole[rows])


def test_a_fitted_temperature_divides_the_logits():
    # Every fifth label is another class than the predicted one, so that one temperature is best.
    labels = LOGITS.argmax(1).clone()
    labels[::5] = (labels[::5] + 1) % K
    method = methods.load("distillation.targets", "temperature-scaled")
    fitted = method.fit(LOGITS.numpy(), labels.numpy())
    found = method.transform(LOGITS, batch_of(), SimpleNamespace(), 1, fitted)
    assert_close(found, LOGITS / fitted)
    nll = [F.cross_entropy(found * factor, labels) for factor in (0.95, 1.0, 1.05)]
    assert nll[1] < min(nll[0], nll[2])
