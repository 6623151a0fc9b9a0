"""Numbers that do not exist."""

import numpy as np
import pytest

from selfdoubt.evaluation.undefined import Undefined, count, quotient


def test_a_single_number_over_zero_has_a_reason():
    assert quotient(1, 4, "never") == 0.25
    with pytest.raises(Undefined, match="a reason"):
        quotient(1, 0, "a reason")


def test_of_many_numbers_those_over_zero_are_nan():
    assert quotient(np.array([1, 2, 0]), np.array([4, 0, 0]), "some reason") == pytest.approx(
        [0.25, np.nan, np.nan], nan_ok=True
    )


def test_count():
    assert count([5, 6]) == 2
    with pytest.raises(Undefined, match="no samples"):
        count([])
