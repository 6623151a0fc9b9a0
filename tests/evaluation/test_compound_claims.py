"""Claims about several data sets: what holds on some of them, and what is negligible on so many that it cannot hold."""

import numpy as np
import pytest
from scipy.stats import t as student

from selfdoubt.evaluation.claims import Component, together
from selfdoubt.evaluation.comparisons import Compared
from selfdoubt.evaluation.contrasts import Contrast

SPREAD = np.array([-0.2, -0.1, 0.0, 0.1, 0.2])


def component(difference: float) -> Component:
    """A comparison by the AURC of five replicates, whose margin is 1."""
    found = Contrast(tuple((difference + SPREAD).tolist()), 0.0, 0.0, 10**6)
    compared = Compared(5, found, found.difference, 1.0)
    return Component("d", "kd", "ce", ("aurc", "msp", "test"), compared, 1.0, (None, None))


def test_a_claim_on_some_data_sets_is_negligible_where_too_few_are_left_on_which_it_could_matter():
    groups = [[component(difference)] for difference in (-5.0, 0.0, 0.0)]
    within = student.sf(1 / (SPREAD.std(ddof=1) / 5**0.5), 4)  # of a difference of 0
    on_two, on_one, on_all = (together(groups, n) for n in (2, 1, 3))
    assert on_two.negligible == pytest.approx(2 * within) and on_two.negligible < 0.05 < on_two.supporting
    assert on_one.supporting < 0.05 < on_one.negligible  # three would have to be within the margin
    assert on_all.negligible == pytest.approx(3 * within)  # one that is within is enough


def test_of_several_comparisons_on_a_data_set_each_must_be_within_the_margin():
    groups = [[component(0.0), component(difference)] for difference in (-5.0, 0.0, 0.0)]
    assert together(groups, 2).negligible < 0.05
    groups[1][0] = component(-5.0)
    assert together(groups, 2).negligible > 0.05
