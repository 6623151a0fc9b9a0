"""The quality of masks by hand."""

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from selfdoubt.runtime.errors import UserError
from selfdoubt.runtime.schemas.mask_quality import MASK_QUALITY_SCHEMA
from selfdoubt.segmentation.mask_quality import centred_box, check_usable, confidence_rows, quality_rows
from selfdoubt.segmentation.mask_sheet import write_sheet


def quality(found, truth) -> dict:
    rows = quality_rows("mask", np.array(found, bool), None if truth is None else np.array(truth, bool))
    pa.Table.from_pylist(rows, schema=MASK_QUALITY_SCHEMA)
    return {row["statistic"]: row["value"] for row in rows}


def test_quality_by_hand():
    # Image 1: both 1, either 2; image 2: both masks empty, which is agreement.
    found = quality([[[1, 1], [0, 0]], [[0, 0], [0, 0]]], [[[1, 0], [0, 0]], [[0, 0], [0, 0]]])
    assert found == {
        "iou": pytest.approx((1 / 2 + 1) / 2),
        "recall": 1,  # of the one image with an object
        "precision": pytest.approx(1 / 2),
        "centred-box-iou": pytest.approx((0 + 1) / 2),  # an eighth of four pixels has no pixel in the middle
        # The IoU are 1/2 and 1, those of the box 0 and 1: differences of 1/2 and 0, standard deviation .5 / 2**.5.
        "iou-above-box-error": pytest.approx(0.5 / 2**0.5 / 2**0.5),
        "pixel-accuracy": pytest.approx(7 / 8),
        "foreground-fraction": pytest.approx(2 / 8),
        "empty": 1,
        "full": 0,
    }


def test_without_truth_there_is_a_reason():
    rows = quality_rows("mask", np.ones((5, 7, 13), bool), None)
    lacking = {row["statistic"]: row["reason"] for row in rows if row["value"] is None}
    assert lacking == dict.fromkeys(
        ("iou", "recall", "precision", "centred-box-iou", "iou-above-box-error", "pixel-accuracy"),
        "the true masks are not known",
    )


def test_masks_that_a_centred_box_matches_are_warned_of():
    truth = np.zeros((10, 8, 8), bool)
    truth[:, 2:6, 2:6] = True
    assert (centred_box((8, 8), 1 / 4) == truth[0]).all()
    shifted = np.roll(truth, 1, axis=2)
    for masks, warned in ((truth, 1), (shifted, 1), (np.where(np.arange(10)[:, None, None] < 5, truth, shifted), 1)):
        rows = {row["statistic"]: row for row in quality_rows("mask", masks, truth)}
        assert rows["centred-box-iou"]["value"] == 1 and bool(rows["iou"]["warning"]) == warned
    moved = np.roll(truth, 2, axis=1)
    rows = {row["statistic"]: row for row in quality_rows("mask", moved, moved)}
    assert rows["iou"]["value"] == 1 > rows["centred-box-iou"]["value"] and not rows["iou"]["warning"]


def test_without_truth_masks_are_compared_with_the_pixels_that_they_were_learned_from():
    pseudo = np.zeros((3, 8, 8), bool)
    pseudo[:2, 0, :4] = True  # of the third image nothing is annotated
    masks = np.zeros((3, 8, 8), bool)
    masks[0, 0, :2], masks[1, :2], masks[2, 7] = True, True, True
    rows = {row["statistic"]: row for row in quality_rows("mask", masks, None, pseudo)}
    assert rows["pseudo-mask-recall"]["value"] == pytest.approx((2 / 4 + 4 / 4) / 2)
    assert rows["centred-box-recall"]["value"] == 0 and not rows["pseudo-mask-recall"]["warning"]
    for useless in (np.roll(masks, 4, axis=1), np.zeros_like(masks), np.ones_like(masks)):
        rows = {row["statistic"]: row for row in quality_rows("mask", useless, None, pseudo)}
        assert "no nearer to the pseudo-masks" in rows["pseudo-mask-recall"]["warning"]
    for truth, annotated in ((pseudo, pseudo), (None, np.zeros_like(pseudo)), (None, None)):
        assert "centred-box-recall" not in {r["statistic"] for r in quality_rows("mask", masks, truth, annotated)}


@pytest.mark.parametrize(("n_empty", "n_full", "warned"), [(2, 0, False), (3, 0, True), (2, 1, True), (0, 100, True)])
def test_masks_may_be_empty_or_full_up_to_a_fraction(n_empty, n_full, warned):
    masks = np.ones((100, 2, 2), bool)
    masks[:, 0, 0] = False
    masks[:n_empty], masks[100 - n_full :] = False, True
    rows = {row["statistic"]: row["warning"] for row in quality_rows("mask", masks, None) if row["warning"]}
    assert list(rows) == ["empty"] * warned


def test_one_image_has_no_standard_error():
    found = quality([[[1, 0], [0, 0]]], [[[1, 0], [0, 0]]])
    assert found["iou"] == 1 and found["iou-above-box-error"] is None


@pytest.mark.parametrize(
    ("allowed", "n_useless", "stops"), [(None, 5, False), (None, 6, True), (0, 1, True), (1, 10, False)]
)
def test_too_many_empty_or_full_masks_stop_the_study(allowed, n_useless, stops):
    masks = np.zeros((10, 2, 2), bool)
    masks[:, 0, 0] = True
    masks[:n_useless] = np.arange(n_useless)[:, None, None] % 2
    if not stops:
        return check_usable(masks, allowed, "masks", "sheet.png")
    with pytest.raises(UserError, match=r"masks: .* empty and .* full.*sheet\.png.*allowed_empty_or_full"):
        check_usable(masks, allowed, "masks", "sheet.png")


@pytest.mark.parametrize("channels", [1, 3])
def test_a_sheet_shows_images_with_their_masks(tmp_path, channels):
    images, masks = np.full((9, channels, 32, 40), 100, np.uint8), np.zeros((9, 32, 40), bool)
    masks[8] = True
    write_sheet(tmp_path / "sheet.png", images, masks)
    pixels = np.asarray(Image.open(tmp_path / "sheet.png"))
    assert pixels.shape == (2 * 2 * 33, 8 * 2 * 41, 3)
    assert pixels[0, 0].tolist() == [100] * 3 and pixels[66, 0].tolist() == [177, 50, 50]
    assert pixels[66, 82].tolist() == [255] * 3


def test_doubtful_masks_by_hand():
    truth = np.zeros((4, 2, 2), bool)
    truth[:, 0] = True
    found = truth.copy()
    found[3] = ~truth[3]
    rows = {row["statistic"]: row for row in confidence_rows(found, truth, np.array([0.9, 0.8, 0.7, 0.2]), 0.5)}
    assert {name: row["value"] for name, row in rows.items()} == {
        "confidence": pytest.approx(0.65),
        "doubtful": 1,
        "iou-confident": 1,
    }
    assert rows["iou-confident"]["n"] == 3
    for known, least, reason in ((None, 0.5, "the true masks are not known"), (truth, 1.0, "no mask is confident")):
        iou = confidence_rows(found, known, np.array([0.9, 0.8, 0.7, 0.2]), least)[-1]
        assert iou["value"] is None and iou["reason"] == reason
        pa.Table.from_pylist([iou], schema=MASK_QUALITY_SCHEMA)
