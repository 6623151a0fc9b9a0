"""What students are told in their teachers' place: what is kept of each answer, and what is not."""

from inspect import signature
from itertools import permutations
from types import SimpleNamespace
from typing import get_args

import pytest
import torch
from helpers import assert_close

from selfdoubt.distillation.targets import ANSWERS
from selfdoubt.settings import distillation as types
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
}


def batch_of(rows: slice = slice(0, N), epoch: int = 0) -> SimpleNamespace:
    return SimpleNamespace(labels=LABELS[rows], epoch=epoch, rows=rows)


def told(method: str, rows: slice = slice(0, N), epoch: int = 0, seed: int = 1, logits=LOGITS, **settings):
    return ANSWERS[method](logits[rows], batch_of(rows, epoch), seed=seed, **(SETTINGS[method] | settings))


# ---- permuted ----


@pytest.mark.parametrize("permutation", ["fixed", "per-sample"])
def test_a_permutation_keeps_the_likeliest_class_and_every_probability(permutation):
    found = told("permuted", permutation=permutation)
    assert torch.equal(found.argmax(1), LOGITS.argmax(1)) and torch.equal(found.max(1).values, LOGITS.max(1).values)
    assert torch.equal(found.sort(1).values, LOGITS.sort(1).values)
    assert (found != LOGITS).any(1).float().mean() > 0.8  # of 4! permutations one changes nothing


def moves(logits, found) -> list[tuple]:
    """The class whose probability each class has, for each answer."""
    return [tuple(row.tolist().index(z) for z in after.tolist()) for row, after in zip(logits, found, strict=True)]


def test_a_fixed_permutation_is_one_for_each_likeliest_class():
    by_class = [set() for _ in range(K)]
    for epoch in (0, 1):
        found = moves(LOGITS, told("permuted", epoch=epoch, permutation="fixed"))
        for top, move in zip(LOGITS.argmax(1), found, strict=True):
            by_class[top].add(move)
    assert [len(found) for found in by_class] == [1] * K
    assert len(set.union(*by_class)) > 1
    assert not torch.equal(told("permuted", permutation="fixed"), told("permuted", permutation="fixed", seed=2))


def test_permutations_per_sample_are_drawn_anew_for_each_view_and_each_as_often():
    logits = torch.tensor([[9.0, 1, 2, 3, 4]]).expand(6000, K)
    batch = SimpleNamespace(labels=torch.zeros(6000), epoch=0, rows=slice(0, 6000))
    found = moves(logits, ANSWERS["permuted"](logits, batch, seed=1, permutation="per-sample"))
    counts = [found.count((0, *order)) for order in permutations(range(1, K))]
    assert sum(counts) == 6000 and min(counts) > 190 and max(counts) < 310  # 250 each, four deviations of 15.5
    assert not torch.equal(told("permuted"), told("permuted", epoch=1))


def test_of_two_classes_there_is_nothing_to_permute():
    for permutation in ("fixed", "per-sample"):
        found = told("permuted", logits=LOGITS[:, :2], permutation=permutation)
        assert torch.equal(found, LOGITS[:, :2])


# ---- corrected, scaled ----


def test_a_correction_swaps_two_probabilities_where_the_teacher_is_wrong():
    found = told("corrected")
    for row, after, y in zip(LOGITS.tolist(), found.tolist(), LABELS.tolist(), strict=True):
        top = max(range(K), key=row.__getitem__)
        row[y], row[top] = row[top], row[y]
        assert after == row
    assert torch.equal(found.argmax(1), LABELS)
    right = LOGITS.argmax(1) == LABELS
    assert 0 < right.sum() < N and torch.equal(found[right], LOGITS[right])


def test_a_factor_changes_how_sure_the_teacher_is_and_of_nothing_else():
    found = told("scaled", factor=3.0)
    assert torch.equal(found, 3 * LOGITS) and torch.equal(found.argmax(1), LOGITS.argmax(1))
    assert (losses.entropies(found) < losses.entropies(LOGITS)).all()
    assert_close((told("scaled", factor=0.25) * 4), LOGITS)


# ---- entropies of others ----


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_entropies_are_those_of_others_of_the_same_label(temperature):
    found = told("entropy-shuffled", temperature=temperature)
    before, after = (losses.entropies(logits.double() / temperature) for logits in (LOGITS, found))
    for label in range(3):
        own = label == LABELS
        assert_close(after[own].sort().values, before[own].sort().values, rtol=0, atol=1e-5)
    assert ((after - before).abs() < 1e-5).float().mean() < 0.3  # an image may be its own partner: one of 20 is


def test_with_another_entropy_an_answer_keeps_the_order_of_its_classes():
    found = told("entropy-shuffled")
    assert found.dtype == torch.float32
    factor = (found / LOGITS)[:, :1]
    assert factor.min() > 0
    assert_close(found, factor * LOGITS)


def test_partners_are_drawn_anew_in_each_epoch():
    assert not torch.equal(told("entropy-shuffled"), told("entropy-shuffled", epoch=1))
    assert not torch.equal(told("entropy-shuffled"), told("entropy-shuffled", seed=2))


def test_an_image_alone_with_its_label_keeps_its_entropy():
    rows = slice(0, 3)
    assert_close(told("entropy-shuffled", rows), LOGITS[rows])


def test_an_entropy_that_cannot_be_reached_is_neared():
    # Two equal largest logits: no factor brings (1, 1, 0, ...) below log 2, so that it gets as near as it can.
    logits = torch.tensor([[1.0, 1, 0, 0, 0], [40.0, 0, 0, 0, 0]])
    batch = SimpleNamespace(labels=torch.zeros(2, dtype=torch.long), epoch=0, rows=slice(0, 2))
    partners_swapped = 0
    for seed in range(8):
        found = losses.entropies(ANSWERS["entropy-shuffled"](logits, batch, seed=seed, temperature=1.0))
        assert found.isfinite().all()
        if found[1] > 0.1:
            partners_swapped += 1
            assert found.tolist() == pytest.approx([0.6931, losses.entropies(logits)[0].item()], abs=1e-3)
    assert 0 < partners_swapped < 8


# ---- all ----


@pytest.mark.parametrize("method", ANSWERS)
def test_the_teachers_own_answers_stay_as_they_are(method):
    before = LOGITS.clone()
    assert not torch.equal(told(method), before)
    assert torch.equal(LOGITS, before)


@pytest.mark.parametrize("method", ["permuted", "corrected", "scaled"])
def test_what_an_image_is_told_does_not_depend_on_its_batch(method):
    whole = told(method)
    for rows in (slice(0, 7), slice(7, 20), slice(21, N, 2)):
        assert torch.equal(told(method, rows), whole[rows])


def test_a_method_takes_what_its_settings_have():
    kinds = get_args(get_args(types.TeacherAnswers)[0])
    given = {get_args(kind.model_fields["method"].annotation)[0]: set(kind.model_fields) - {"method"} for kind in kinds}
    assert given.pop("temperature-scaled") == set()  # becomes `scaled`, by what is fitted
    taken = {method: set(signature(change).parameters) for method, change in ANSWERS.items()}
    assert taken == {method: names | {"logits", "batch", "seed"} for method, names in given.items()}
