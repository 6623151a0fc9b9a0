"""Controls of masks: what each keeps, and what it takes away."""

import numpy as np
import pytest

from selfdoubt.mixing.masks import enclose, permute, replace_by_boxes


@pytest.mark.parametrize("n", [1, 2, 5, 200])
def test_permuted_masks_are_those_of_others(n):
    own = np.random.default_rng(0).random((n, 7, 9)) < 0.5
    other = permute(own, seed=1)
    assert sorted(mask.tobytes() for mask in other) == sorted(mask.tobytes() for mask in own)
    assert n == 1 or not (other == own).all((1, 2)).any()
    np.testing.assert_array_equal(permute(own, seed=1), other)
    assert n < 5 or (permute(own, seed=2) != other).any()


def box_of(mask: list) -> list:
    return replace_by_boxes(np.array([mask], bool), 1)[0].astype(int).tolist()


def test_boxes_by_hand():
    # A cross of 5 pixels in 3 x 3: sqrt(5) = 2.2 rows, so 2 of 3 columns, the last one a pixel short.
    cross = [[0, 1, 0, 0], [1, 1, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0]]
    assert box_of(cross) == [[1, 1, 1, 0], [1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    # Two pixels a row apart, in 3 x 1: sqrt(2 * 3) = 2.4 rows, so 2 of 1 column.
    assert box_of([[0, 0, 1], [0, 0, 0], [0, 0, 1]]) == [[0, 0, 1], [0, 0, 1], [0, 0, 0]]


@pytest.mark.parametrize("size", [(12, 12), (5, 17), (1, 4)])
@pytest.mark.parametrize("density", [0.02, 0.3, 0.9, 1.0])
def test_boxes_have_the_area_of_the_mask_and_lie_within_what_encloses_it(size, density):
    own = np.random.default_rng(0).random((300, *size)) < density
    found = replace_by_boxes(own, 1)
    np.testing.assert_array_equal(found.sum((1, 2)), own.sum((1, 2)))
    for before, after in zip(own, found, strict=True):
        if before.any():
            rows, columns = (after.any(axis) for axis in (1, 0))
            assert rows[rows.argmax() :][: rows.sum()].all() and columns[columns.argmax() :][: columns.sum()].all()
            assert after.sum() > rows.sum() * columns.sum() - columns.sum()  # only the last row is short
            assert abs(middle(rows) - middle(before.any(1))) <= 1 and abs(middle(columns) - middle(before.any(0))) <= 1


def middle(occupied: np.ndarray) -> float:
    return np.flatnonzero(occupied)[[0, -1]].mean()


def test_a_box_stays_a_box():
    own = np.zeros((2, 9, 9), bool)
    own[0, 2:5, 3:9] = own[1, :, 4] = True
    np.testing.assert_array_equal(replace_by_boxes(own, 1), own)


def test_enclosing_boxes_cut_nothing_and_are_no_larger_than_needed():
    own = np.zeros((3, 5, 6), bool)
    own[0, [1, 3], [2, 4]] = True  # two pixels: their box is of 3 rows and 3 columns
    own[1] = True
    found = enclose(own, 1)
    expected = np.zeros((5, 6), bool)
    expected[1:4, 2:5] = True
    np.testing.assert_array_equal(found[0], expected)
    assert found[1].all() and not found[2].any() and (found | ~own).all()
