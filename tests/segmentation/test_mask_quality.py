"""The quality of masks by hand."""

import numpy as np
import pyarrow as pa
import pytest

from selfdoubt.runtime.schemas.mask_quality import MASK_QUALITY_SCHEMA
from selfdoubt.segmentation.mask_quality import quality_rows


def quality(found, truth) -> dict:
    rows = quality_rows("mask", np.array(found, bool), None if truth is None else np.array(truth, bool))
    pa.Table.from_pylist(rows, schema=MASK_QUALITY_SCHEMA)
    return {row["statistic"]: row["value"] for row in rows}


def test_quality_by_hand():
    # Image 1: both 1, either 2; image 2: both masks empty, which is agreement.
    found = quality([[[1, 1], [0, 0]], [[0, 0], [0, 0]]], [[[1, 0], [0, 0]], [[0, 0], [0, 0]]])
    assert found == {
        "iou": pytest.approx((1 / 2 + 1) / 2),
        "pixel-accuracy": pytest.approx(7 / 8),
        "foreground-fraction": pytest.approx(2 / 8),
        "empty": 1,
        "full": 0,
    }


def test_without_truth_there_is_a_reason():
    rows = quality_rows("mask", np.ones((5, 7, 13), bool), None)
    lacking = {row["statistic"]: row["reason"] for row in rows if row["value"] is None}
    assert lacking == dict.fromkeys(("iou", "pixel-accuracy"), "the true masks are not known")


@pytest.mark.parametrize(("n_empty", "n_full", "warned"), [(2, 0, False), (3, 0, True), (2, 1, True), (0, 100, True)])
def test_masks_may_be_empty_or_full_up_to_a_fraction(n_empty, n_full, warned):
    masks = np.ones((100, 2, 2), bool)
    masks[:, 0, 0] = False
    masks[:n_empty], masks[100 - n_full :] = False, True
    rows = {row["statistic"]: row["warning"] for row in quality_rows("mask", masks, None) if row["warning"]}
    assert list(rows) == ["empty"] * warned
