"""How many replicates are needed, for a difference and for equivalence."""

import numpy as np
import pytest

from selfdoubt.evaluation.contrasts import Contrast, ExactContrast
from selfdoubt.evaluation.power import n_for_difference, n_for_equivalence, n_for_no_loss
from selfdoubt.evaluation.verdicts import LEAST_REPLICATES

ONE = np.array([0.0, 2.0]) / np.sqrt(2) + 1 - 1 / np.sqrt(2)  # mean 1, standard deviation 1


def of(differences, image_variance=0.0, shared=0.0):
    return Contrast(tuple(differences), image_variance, shared, 10**6)


def test_for_a_difference_it_agrees_with_tables_of_the_paired_t_test():
    # Effects of 1 and 1/2 standard deviation need 10 and 34 pairs for 80 % power at 5 % (Cohen 1988).
    assert n_for_difference(of(ONE), 0.05) == 10
    assert n_for_difference(of(-ONE), 0.05) == 10
    assert n_for_difference(of(ONE - 0.5), 0.05) == 34
    assert n_for_difference(of(ONE - 0.5), 0.05, power=0.9) == 44


def test_it_solves_for_the_level_of_the_family_and_for_what_images_add():
    assert n_for_difference(of(ONE), 0.05 / 6) > n_for_difference(of(ONE), 0.05)
    assert n_for_difference(of(ONE, 0.05, 0.05), 0.05) > n_for_difference(of(ONE), 0.05)
    assert n_for_difference(of(ONE, 0.2, 0.2), 0.05) is None  # the images' own error is .45: more images are needed


def test_at_the_level_of_a_family_of_six_by_hand():
    # Guenther (1981): n = (z of the level + z of the power)^2 (s/d)^2 + z^2/2, rounded up; z by tables of the normal.
    z, half = 2.638, 0.5  # of 1 - .05/6/2; an effect of half a standard deviation
    assert n_for_difference(of(ONE - 0.5), 0.05 / 6) == np.ceil((z + 0.8416) ** 2 / half**2 + z**2 / 2) == 52
    # Two one-sided tests of a true 0 with 80 % power: each is passed with 90 %. z of 1 - .05/6 is 2.394, of .9 1.2816.
    z = 2.394
    assert n_for_equivalence(of(ONE - 1), half, 0.05 / 6) == np.ceil((z + 1.2816) ** 2 / half**2 + z**2 / 2) == 57


def test_for_equivalence_a_simulation_agrees():
    spread, margin, level = of([-1.0, 1.0]), 1.5, 0.05  # s = √2
    n, draws = n_for_equivalence(spread, margin, level), np.random.default_rng(0)

    def power(n):
        values = draws.normal(0, np.sqrt(2), (4000, n))
        return np.mean([of(each).p_within(margin) < level for each in values])

    assert power(n) == pytest.approx(0.8, abs=0.05) and power(n - 4) < power(n + 4)


def test_for_no_loss_it_agrees_with_the_one_sided_t_test():
    # Of a true 0 and a margin of one standard deviation 8 have 80 % power at 5 %: one-sided t of 7, shift 8**.5.
    assert n_for_no_loss(of(ONE - 1), 1.0, +1, 0.05) == 8 == n_for_no_loss(of(ONE - 1), 1.0, -1, 0.05)
    assert n_for_no_loss(of(ONE - 0.5), 0.5, +1, 0.05) == 8  # .5 above, and as far above minus the margin
    assert n_for_no_loss(of(ONE - 1.5), 0.5, +1, 0.05) is None  # it is at minus the margin


def test_no_number_that_decides_nothing_is_given():
    clear = of([9.0, 11.0])
    assert n_for_difference(clear, 0.05) == n_for_equivalence(clear, 100.0, 0.05) == LEAST_REPLICATES


def test_none_where_no_number_would_do():
    assert n_for_difference(of([0.3]), 0.05) is None
    assert n_for_difference(of([0.3, 0.3, 0.3]), 0.05) is None
    assert n_for_difference(of([-1.0, 1.0]), 0.05) is None
    assert n_for_difference(of([0.0, 1.0]), 0.05, cap=5) is None
    assert n_for_equivalence(of([-1.0, 1.0], 1.0, 1.0), 0.5, 0.05) is None


def test_none_where_images_that_all_differ_to_one_side_decide():
    """Five images have p = .0625 however many replicates repeat them."""
    differences = (-1e-4, -1e-4, -1e-4, -1e-4, -2e-4)
    few = ExactContrast(differences, 0.0, 0.0, 5)
    assert few.p == pytest.approx(0.0625) and n_for_difference(few, 0.05) is None
    assert n_for_difference(ExactContrast(differences, 0.0, 0.0, 6), 0.05) == LEAST_REPLICATES  # of six .03125
    assert n_for_difference(ExactContrast(differences, 0.0, 0.0, 6), 0.05 / 6) is None
    assert n_for_no_loss(few, 1e-3, -1, 0.05) == LEAST_REPLICATES and n_for_no_loss(few, 1e-3, -1, 0.01) is None
    assert few.p_within(1.0) == 1 and n_for_equivalence(few, 1.0, 0.05) is None
