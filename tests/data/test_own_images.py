"""The training images of a replicate: in no other, in the proportions of the classes, by its number alone."""

import numpy as np
import pytest

from selfdoubt.data.own_images import positions
from selfdoubt.data.splitting import balanced_order
from selfdoubt.runtime.errors import UserError

EQUAL = np.random.default_rng(0).permutation(np.repeat(np.arange(10), 100))
TAIL = np.random.default_rng(0).permutation(np.repeat(np.arange(4), [600, 300, 90, 10]))
ROUND = np.repeat(np.arange(3), [6, 3, 1])


def drawn(labels, n_images: int, replicates, kind: str = "disjoint") -> list[np.ndarray]:
    return [positions(labels, replicate, kind, n_images) for replicate in replicates]


@pytest.mark.parametrize("labels", [EQUAL, TAIL])
def test_replicates_are_disjoint_and_use_up_the_pool(labels):
    found = drawn(labels, 200, range(1, 6))
    assert np.array_equal(np.sort(np.concatenate(found)), np.arange(1000))
    assert all((np.diff(each) > 0).all() for each in found)


def test_equal_classes_are_equal_in_each_replicate():
    for each in drawn(EQUAL, 50, range(1, 21)):
        assert np.array_equal(np.bincount(EQUAL[each]), np.full(10, 5))


@pytest.mark.parametrize("n_images", [100, 130])
def test_unequal_classes_keep_their_proportions_to_the_last_replicate(n_images):
    expected = np.bincount(TAIL) * n_images / 1000
    for each in drawn(TAIL, n_images, range(1, 1000 // n_images + 1)):
        assert (np.abs(np.bincount(TAIL[each], minlength=4) - expected) <= 1).all()


def test_the_order_by_hand():
    # Classes of 6, 3 and 1 stand at 1/12, 3/12, …; 1/6, 3/6, 5/6; 1/2, and equal places go by label.
    assert ROUND[balanced_order(ROUND, 0, "any")].tolist() == [0, 1, 0, 0, 1, 2, 0, 0, 1, 0]


def test_a_replicate_has_the_same_images_whatever_is_asked_besides():
    (alone,), many = drawn(EQUAL, 50, [7]), drawn(EQUAL, 50, range(1, 10))
    assert np.array_equal(alone, many[6])
    whole = balanced_order(EQUAL, 0, "disjoint-images")
    assert np.array_equal(alone, np.sort(whole[300:350]))


def test_overlapping_draws_are_balanced_and_independent():
    one, other = drawn(EQUAL, 500, [1, 20], "overlapping")
    for each in (one, other):
        assert np.array_equal(np.bincount(EQUAL[each]), np.full(10, 50)) and len(np.unique(each)) == 500
    shared = len(np.intersect1d(one, other))
    assert 200 < shared < 300  # of each class half of 50 in expectation; standard deviation of the sum 8


@pytest.mark.parametrize(
    ("kind", "replicate", "n_images", "message"),
    [
        ("disjoint", 4, 300, r"1000 training images give 3 replicates of 300, and this is replicate 4; .*overlapping"),
        ("overlapping", 4, 1000, r"1000 of 1000 training images, .*lower it"),
    ],
)
def test_more_images_than_there_are_are_refused(kind, replicate, n_images, message):
    with pytest.raises(UserError, match=f"train_images_per_replicate: {message}"):
        positions(EQUAL, replicate, kind, n_images)
