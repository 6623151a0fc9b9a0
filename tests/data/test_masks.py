import numpy as np
import pytest

from selfdoubt.data import masks
from selfdoubt.runtime import schemas
from selfdoubt.runtime.errors import UserError


def shapes(width: int = 13) -> np.ndarray:
    return np.random.default_rng(0).random((5, 7, width)) < 0.5


@pytest.mark.parametrize("width", [1, 8, 13])
def test_masks_come_back_whatever_their_width(tmp_path, width):
    masks.write_masks(tmp_path / "m", shapes(width), {})
    np.testing.assert_array_equal(masks.read_masks(tmp_path / "m"), shapes(width))


def test_a_pixel_takes_one_bit():
    assert masks.pack(np.ones((10, 28, 28), bool)).nbytes == 10 * 28 * 4  # 28 bits in 4 bytes a row


def test_equal_masks_give_equal_bytes(tmp_path):
    for name in ("a", "b"):
        masks.write_masks(tmp_path / name, shapes(), {"y": 1, "x": 2})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_missing_or_truncated_file_is_named(tmp_path):
    with pytest.raises(UserError, match="m: no such file"):
        masks.read_masks(tmp_path / "m")
    masks.write_masks(tmp_path / "m", shapes(), {})
    (tmp_path / "m").write_bytes((tmp_path / "m").read_bytes()[:-3])
    with pytest.raises(UserError, match="m: not a whole file of masks"):
        masks.read_masks(tmp_path / "m")


# ---- controls ----


@pytest.mark.parametrize("n", [1, 2, 5, 200])
def test_permuted_masks_are_those_of_others(n):
    own = np.random.default_rng(0).random((n, 7, 9)) < 0.5
    other = masks.permuted(own, seed=1)
    assert sorted(mask.tobytes() for mask in other) == sorted(mask.tobytes() for mask in own)
    assert n == 1 or not (other == own).all((1, 2)).any()
    np.testing.assert_array_equal(masks.permuted(own, seed=1), other)
    assert n < 5 or (masks.permuted(own, seed=2) != other).any()


def box_of(mask: list) -> list:
    return masks.boxes(np.array([mask], bool), 1)[0].astype(int).tolist()


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
    found = masks.boxes(own, 1)
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
    np.testing.assert_array_equal(masks.boxes(own, 1), own)


# ---- quality ----


def quality(found, truth) -> dict:
    rows = masks.quality_rows("mask", np.array(found, bool), None if truth is None else np.array(truth, bool))
    schemas.pa.Table.from_pylist(rows, schema=schemas.SCHEMAS["mask-quality"])
    return {row["statistic"]: row["value"] for row in rows}


def test_quality_by_hand():
    # Image 1: both 1, either 2; image 2: both masks empty, which is agreement.
    found = quality([[[1, 1], [0, 0]], [[0, 0], [0, 0]]], [[[1, 0], [0, 0]], [[0, 0], [0, 0]]])
    assert found == {
        "iou": pytest.approx((1 / 2 + 1) / 2),
        "pixel-accuracy": pytest.approx(7 / 8),
        "foreground-share": pytest.approx(2 / 8),
        "empty": 1,
        "full": 0,
    }


def test_without_truth_there_is_a_reason():
    rows = masks.quality_rows("mask", shapes(), None)
    lacking = {row["statistic"]: row["reason"] for row in rows if row["value"] is None}
    assert lacking == dict.fromkeys(("iou", "pixel-accuracy"), "the true masks are not known")
