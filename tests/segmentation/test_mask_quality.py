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
