"""Tables of predictions: a row for each image, and what is read of them."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np

from selfdoubt.data.datasets import Split
from selfdoubt.evaluation.prediction_tables import write_predictions
from selfdoubt.evaluation.predictions import predictions_by_split
from selfdoubt.runtime import table_files

DRAWS = np.random.default_rng(0)
IMAGES = np.zeros((4, 3, 4, 4), np.uint8)


def split_of(n: int, label: int, first_id: int) -> SimpleNamespace:
    return Split(IMAGES[:n], np.full(n, label), np.arange(first_id, first_id + n, dtype=np.int32))


SPLITS = {"val": split_of(3, 1, 10), "test": split_of(2, 0, 0), "ood-digits": split_of(4, -1, 7)}
LOGITS = {name: DRAWS.normal(size=(len(split.labels), 2)).astype(np.float32) for name, split in SPLITS.items()}


def test_a_row_per_image_split_after_split(tmp_path):
    write_predictions(tmp_path / "a.parquet", SPLITS, LOGITS, metadata={"code": "abc"})
    table = table_files.read_table(tmp_path / "a.parquet")
    assert table["split"].to_pylist() == ["val"] * 3 + ["test"] * 2 + ["ood-digits"] * 4
    assert table["image_id"].to_pylist() == [10, 11, 12, 0, 1, 7, 8, 9, 10]
    assert table["label"].to_pylist() == [1, 1, 1, 0, 0, -1, -1, -1, -1]
    assert table.column_names == table_files.predictions_schema(2).names
    assert table_files.read_metadata(tmp_path / "a.parquet") == {"code": "abc"}


def test_logits_are_read_as_they_were_written(tmp_path):
    shuffled = dict(reversed(LOGITS.items()))  # the order of the splits is that of `splits`
    write_predictions(tmp_path / "a.parquet", SPLITS, shuffled)
    read = predictions_by_split(table_files.read_table(tmp_path / "a.parquet"))
    assert list(read) == list(SPLITS)
    for name, found in read.items():
        np.testing.assert_array_equal(found.logits, LOGITS[name])


def test_a_variants_signals_are_columns(tmp_path):
    predicted = {name: np.arange(len(split.labels)) % 2 for name, split in reversed(SPLITS.items())}
    gain = {name: np.arange(len(split.labels)) / 8 for name, split in SPLITS.items()}
    write_predictions(tmp_path / "a.parquet", SPLITS, LOGITS, {"predicted": predicted, "confidence_gain": gain})
    table = table_files.read_table(tmp_path / "a.parquet")
    assert table["predicted"].to_pylist() == [0, 1, 0, 0, 1, 0, 1, 0, 1]
    assert table["confidence_gain"].to_pylist() == [0, 1 / 8, 2 / 8, 0, 1 / 8, 0, 1 / 8, 2 / 8, 3 / 8]
    read = predictions_by_split(table)["val"]
    assert read.correct.tolist() == [False, True, False]  # label 1, reported 0, 1, 0


def test_equal_logits_give_equal_bytes(tmp_path):
    for name in "ab":
        write_predictions(tmp_path / name, SPLITS, LOGITS, metadata={"seed": 1})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_classes_of_ood_images_become_a_column(tmp_path):
    digits = replace(SPLITS["ood-digits"], ood_classes=np.array([3, 1, 4, 1]))
    write_predictions(tmp_path / "a.parquet", SPLITS | {"ood-digits": digits}, LOGITS)
    table = table_files.read_table(tmp_path / "a.parquet")
    assert table["ood_class"].to_pylist() == [-1] * 5 + [3, 1, 4, 1]
    assert predictions_by_split(table)["ood-digits"].ood_classes.tolist() == [3, 1, 4, 1]
