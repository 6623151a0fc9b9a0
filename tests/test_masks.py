import numpy as np
import pytest

from selfdoubt import masks, schemas
from selfdoubt.errors import UserError


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
