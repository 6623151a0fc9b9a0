"""Which test images are shown, by hand, and the job that draws them."""

import io
import json
import subprocess
import sys

import numpy as np
import pytest
from copies import ROOT
from PIL import Image

from selfdoubt.data import datasets
from selfdoubt.data.datasets import Split
from selfdoubt.data.thumbnails import thumbnail
from selfdoubt.evaluation.pictures import rows_of, seen
from selfdoubt.evaluation.predictions import Predictions
from selfdoubt.runtime import table_files
from selfdoubt.runtime.schemas.pictures import PICTURES_SCHEMA

LABELS, IDS = np.array([0, 0, 1]), np.array([3, 5, 8])


def predictions(*of_first_class: float, predicted=None) -> Predictions:
    """Predictions with these probabilities of class 0 of two."""
    p = np.array(of_first_class)
    return Predictions(np.log(np.stack([p, 1 - p], 1)), LABELS, predicted, image_ids=IDS)


def test_errors_are_ordered_by_their_mean_confidence_over_replicates():
    # Image 3: .9 of class 1 in the first replicate, correct in the second; image 5: .6 in both; image 8: correct.
    arm = seen([predictions(0.1, 0.4, 0.2), predictions(0.8, 0.4, 0.3)])
    assert arm.error_confidence() == pytest.approx([0.45, 0.6, 0])
    first, second = rows_of({"ce": arm}, "ce", 5)
    assert [(row["image_id"], row["rank"], row["list"]) for row in (first, second)] == [
        (5, 1, "errors"),
        (3, 2, "errors"),
    ]
    assert (second["predicted"], second["confidence"], second["n_incorrect"]) == (1, pytest.approx(0.9), 1)
    assert second["of_label"] == pytest.approx(0.45)


def test_differences_are_of_the_probability_of_the_label_both_ways_and_lists_take_turns():
    arms = {"ce": seen([predictions(0.5, 0.9, 0.8)]), "kd": seen([predictions(0.7, 0.6, 0.9)])}
    rows = rows_of(arms, "ce", 2)
    assert [(row["list"], row["arm"], row["image_id"]) for row in rows] == [
        *[("errors", "ce", 8), ("errors", "kd", 8), ("gains", "kd", 3), ("losses", "kd", 5)],
        *[("losses", "kd", 8)],  # the second of the longest list; nothing else gains
    ]
    gain = rows[2]
    assert (gain["of_label"], gain["than_of_label"]) == (pytest.approx(0.7), pytest.approx(0.5))
    assert {row["list"] for row in rows_of(arms, "gone", 2)} == {"errors"}


def test_a_kept_label_is_the_predicted_class_and_its_probability_the_confidence():
    arm = seen([predictions(0.2, 0.5, 0.5, predicted=np.array([0, 0, 0]))])
    assert arm.confidence[0] == pytest.approx([0.2, 0.5, 0.5]) and arm.incorrect[0].tolist() == [False, False, True]


def test_a_thumbnail_is_the_image_itself_or_smaller():
    image = np.arange(3 * 20 * 40, dtype=np.uint8).reshape(3, 20, 40)
    whole = Image.open(io.BytesIO(thumbnail(image, 40)))
    assert whole.format == "PNG" and np.array_equal(np.asarray(whole), np.moveaxis(image, 0, -1))
    small = Image.open(io.BytesIO(thumbnail(image, 10)))
    assert small.format == "JPEG" and small.size == (10, 5)
    assert Image.open(io.BytesIO(thumbnail(image[:1], 40))).mode == "L"


@pytest.mark.parametrize(("max_kb", "least", "most"), [(9, 3, 3), (0.1, 1, 1)])
def test_the_job_writes_pictures_up_to_a_size(tmp_path, max_kb, least, most):
    images = np.random.default_rng(0).integers(0, 256, (3, 1, 8, 8)).astype(np.uint8)
    split = Split(images, LABELS.astype(np.int64), IDS.astype(np.int32))
    datasets.write_splits(tmp_path / "test", {"test": split}, {})
    logits = predictions(0.1, 0.4, 0.2).logits
    rows = [
        {"split": name, "image_id": int(i), "label": int(label), "logits": list(map(float, row))}
        for name in ("val", "test")
        for i, label, row in zip(IDS, LABELS, logits, strict=True)
    ]
    table_files.write_rows(tmp_path / "a.parquet", rows, table_files.predictions_schema(2), {})
    known = {"arms": [{"name": "ce", "n_files": 1}], "n_images": 5, "thumbnail_px": 8, "max_kb": max_kb}
    command = [sys.executable, ROOT / "workflow_scripts/choose_pictures.py", "--predictions", tmp_path / "a.parquet"]
    command += ["--images", tmp_path / "test", "--output", tmp_path / "p.parquet", "--settings", json.dumps(known)]
    subprocess.run(command, check=True)
    found = table_files.read_table(tmp_path / "p.parquet", PICTURES_SCHEMA).to_pylist()
    assert least - 1 <= len(found) <= most
    for row in found:
        shown = np.asarray(Image.open(io.BytesIO(row["picture"])))
        assert np.array_equal(shown, images[IDS.tolist().index(row["image_id"]), 0])
    assert table_files.read_metadata(tmp_path / "p.parquet")["n_left_out"] == 2 - len(found)
