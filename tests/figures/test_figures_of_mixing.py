"""What the figures of mixed images, and of gains by what images show, hold, against values by hand."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from small_figures import draw, drawn, mislabelled, settings, sized, table, texts

from selfdoubt.data import datasets
from selfdoubt.data.datasets import Split
from selfdoubt.figures.context import context_of
from selfdoubt.figures.kinds import object_size
from selfdoubt.figures.texts import NothingToShow
from selfdoubt.runtime.errors import UserError


def test_mixed_labels_prints_what_is_not_known():
    assert {"20.0", "30.0", "not known"} <= set(texts(drawn("mixed-labels")))  # the mean of 19 and 21


def test_mixed_examples_show_masks_where_there_are_any_and_labels_in_parts():
    axes = drawn("mixed-examples").axes
    assert len(axes) == 2 * 2 * 5 and axes[4].get_xlabel() == "0.70 Bag\n+ 0.30 Shoe"
    assert axes[14].get_xlabel() == "0.60 Bag\n+ 0.20 Shoe\n+ 0.20 all"  # of 0.8 a quarter
    shown = [float(each.images[0].get_array().max()) if each.images else None for each in axes[:5] + axes[10:15]]
    assert shown == pytest.approx([100 / 255, None, 0, None, 50 / 255, 100 / 255, 1, 0, 0, 50 / 255])
    heights = {round(each.get_position().height, 4) for each in axes[10:15]}
    assert len(heights) == 1  # images are equally large, though a label needs more room than its image
    assert table("mixed-examples").query("model == 'b' and pair == 2")["fraction"].tolist() == pytest.approx(
        [0.6, 0.2, 0.2]
    )


def test_ranking_over_label_error_by_hand():
    axes = drawn("label-error").axes[0]
    assert np.concatenate([np.asarray(dots.get_offsets()) for dots in axes.collections]) == pytest.approx(
        np.array([(25, 51), (10, 46), (15, 48)])  # points, AURC x 1000
    )
    assert axes.get_title(loc="right") == "ρ = 1.00"
    assert draw("label-error", mislabelled(b=[])).axes[0].get_title(loc="right") == ""


def test_gains_by_size_by_hand():
    # Small objects: ce is correct on 1 of 2, kd on 2; large ones: 1 of 2 for both.
    left, right = drawn("object-size").axes
    gains, areas = (axes.lines[1].get_xydata() for axes in (left, right))
    assert gains.ravel().tolist() == pytest.approx([15, 50, 35, 0])
    # AURC of ce's small ones: (0 / 1 + 1 / 2) / 2 = 0.25, of kd's 0.
    assert areas[:, 1].tolist() == pytest.approx([-250, 0])
    with pytest.raises(UserError, match="4 images for n_bins 5"):
        draw("object-size", n_bins=5)


def test_gains_by_clutter_bin_images_by_what_surrounds_the_object(tmp_path, monkeypatch):
    """Of four scenes the first and the last are plain around the object, whose own edge is no clutter."""
    images, masks = np.full((4, 1, 4, 4), 50, np.uint8), np.zeros((4, 4, 4), bool)
    masks[:, 0, 0], images[:, 0, 0, 0] = True, 255
    images[1:3, 0, 2:] = 101  # of 22 pairs without the object, 4 differ by a fifth of the range
    split = Split(images, np.arange(4), np.arange(4, dtype=np.int32), masks=masks)
    datasets.write_splits(tmp_path / "test", {"test": split}, {})
    monkeypatch.setattr(object_size.curves, "runs", lambda *_: sized().runs)
    inputs, own = SimpleNamespace(predictions=[], images=[tmp_path / "test"]), settings("object-size", by="clutter")
    data = object_size.read(inputs, own, context_of({"mask_truth": "given"}))
    assert data.measured == pytest.approx([0, 4 / 22 / 5, 4 / 22 / 5, 0]) and data.runs.keys() == {"ce", "kd"}
    left, _ = draw("object-size", data, by="clutter").axes
    assert left.lines[1].get_xydata().ravel().tolist() == pytest.approx([0, 50, 100 * 4 / 22 / 5, 0])
    assert any("clutter around the object" in text for text in texts(draw("object-size", data, by="clutter")))
    assert {*object_size.table(data, own, None)} == {"arm", "clutter_percent", "mean", "least", "most", "difference"}
    with pytest.raises(NothingToShow, match="no background is cluttered"):
        draw("object-size", replace(data, measured=np.zeros(4)), by="clutter")
