"""A generator is its name: equal names give equal draws, and no other draw disturbs them."""

import hashlib

import numpy as np
import pytest

from selfdoubt.runtime.randomness import generator, key, uniform_rows

NAMES = [(7, "order", 3), (8, "order", 3), (7, "box", 3), (7, "order", 4), (7, "order", 3, 0), (7, "order")]


def test_a_key_is_128_bits_of_the_hash_of_the_name():
    name = hashlib.blake2b(b"7/order/3/1", digest_size=16).digest()
    assert key(7, "order", 3, 1) == sum(byte << 8 * place for place, byte in enumerate(name))


def test_draws_are_the_same_on_every_machine_and_in_every_version():
    assert generator(1, "order", 0).permutation(8).tolist() == [1, 6, 2, 0, 7, 4, 5, 3]
    assert generator(1, "box", 2).random(2).tolist() == [0.5226693992821504, 0.9805753536461104]


@pytest.mark.parametrize("name", NAMES)
def test_equal_names_give_equal_draws_whatever_was_drawn_before(name):
    first = generator(*name).random(5)
    generator(7, "other").random(1000)
    np.testing.assert_array_equal(generator(*name).random(5), first)


def test_different_names_give_different_draws():
    draws = [tuple(generator(*name).random(3)) for name in NAMES]
    assert len(set(draws)) == len(NAMES)
    assert key(7, "order", 12) != key(71, "order", 2) != key(7, "order", 1, 2)


def test_neighbouring_counters_are_unrelated():
    # The first draw of 1000 epochs: uniform, of mean 1/2 and deviation 1/sqrt(12 * 1000) = 0.009 of the mean.
    first = np.array([generator(1, "shift", epoch).random() for epoch in range(1000)])
    assert abs(first.mean() - 0.5) < 0.04
    assert abs(np.corrcoef(first[:-1], first[1:])[0, 1]) < 0.13  # four deviations of 1/sqrt(1000)


@pytest.mark.parametrize("n", [1, 4, 6])
def test_a_rows_numbers_are_the_same_whatever_others_are_asked_for(n):
    whole = uniform_rows(1, "x", 3, slice(0, 20), n)
    assert whole.shape == (20, n) and len(np.unique(whole)) == 20 * n and 0 <= whole.min() < whole.max() < 1
    for rows in (slice(0, 1), slice(7, 13), slice(5, 20, 3), slice(19, 20)):
        np.testing.assert_array_equal(uniform_rows(1, "x", 3, rows, n), whole[rows])
    for other in ((2, "x", 3), (1, "y", 3), (1, "x", 4)):
        assert not np.isin(uniform_rows(*other, slice(0, 20), n), whole).any()


def test_the_first_row_is_what_the_generator_of_the_name_draws_first():
    np.testing.assert_array_equal(uniform_rows(1, "x", 3, slice(0, 1), 6)[0], generator(1, "x", 3).random(6))


def test_the_global_state_is_left_alone():
    np.random.seed(3)  # noqa: NPY002 - that it is not used is what is tested
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    generator(1, "order").random(10)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
