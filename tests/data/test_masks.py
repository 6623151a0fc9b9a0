"""Masks in files: one bit a pixel, and equal bytes for equal masks."""

import numpy as np
import pytest

from selfdoubt.data import masks
from selfdoubt.runtime.errors import UserError


def shapes(width: int = 13) -> np.ndarray:
    return np.random.default_rng(0).random((5, 7, width)) < 0.5


@pytest.mark.parametrize("width", [1, 8, 13])
def test_masks_come_back_whatever_their_width(tmp_path, width):
    masks.write_masks(tmp_path / "m", shapes(width), {})
    np.testing.assert_array_equal(masks.read_masks(tmp_path / "m"), shapes(width))


def test_a_pixel_takes_one_bit():
    assert masks.pack(np.ones((10, 28, 28), bool)).nbytes == 10 * 28 * 4  # 28 bits in 4 bytes a row


def test_confidence_is_there_where_it_was_written(tmp_path):
    confidence = np.linspace(0, 1, 5, dtype=np.float32)
    masks.write_masks(tmp_path / "with", shapes(), {"min_confidence": 0.5}, confidence)
    masks.write_masks(tmp_path / "without", shapes(), {})
    found, least = masks.read_confidence(tmp_path / "with")
    np.testing.assert_array_equal(found, confidence)
    np.testing.assert_array_equal(masks.read_masks(tmp_path / "with"), shapes())
    assert least == 0.5 and masks.read_confidence(tmp_path / "without") is None


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
