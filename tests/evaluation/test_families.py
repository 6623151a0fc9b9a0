"""Holm's correction, and the levels at which the members of a family are tested."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfdoubt.evaluation.families import holm, levels


def test_holm_by_hand():
    # sorted .01, .03, .04: times 3, 2, 1 is .03, .06, .04; the last is raised to .06
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1, 1]
    assert holm([0.02]) == [0.02]
    assert holm([]) == []


def test_a_comparison_that_was_not_made_still_counts_in_its_family():
    assert holm([0.01, None, 0.02]) == [pytest.approx(0.03), None, pytest.approx(0.04)]
    assert levels([0.01, None], 0.05) == [0.025, 0.05]


def test_levels_by_hand():
    # .01 < .05 / 3; .03 is not below .05 / 2, and from there on all have its level
    assert levels([0.01, 0.04, 0.03], 0.05) == pytest.approx([0.05 / 3, 0.025, 0.025])
    assert levels([0.001, 0.002, 0.04], 0.05) == pytest.approx([0.05 / 3, 0.025, 0.05])


@settings(deadline=None, derandomize=True, database=None)
@given(st.lists(st.floats(0.001, 1), min_size=1, max_size=8))
def test_holm_is_at_least_p_at_most_bonferroni_and_keeps_the_order(p_values):
    corrected = np.array(holm(p_values))
    assert (corrected >= p_values).all()
    assert (corrected <= np.minimum(1, np.array(p_values) * len(p_values))).all()
    assert (np.diff(corrected[np.argsort(p_values)]) >= 0).all()
    # the interval of the level excludes 0 exactly where the corrected p is below alpha
    assert ((np.array(p_values) < levels(p_values, 0.05)) == (corrected < 0.05)).all()
