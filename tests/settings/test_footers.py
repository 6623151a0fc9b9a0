"""Memory that jobs on tables of images request follows the rows and the labels that the footers of the files state."""

import random
from contextlib import suppress
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from selfdoubt.settings import footers, memory
from selfdoubt.settings.table_columns import LABELS


def table(path, labels, name="label", **written):
    path.parent.mkdir(parents=True, exist_ok=True)
    images = pa.array([b"x"] * len(labels), pa.binary())
    pq.write_table(pa.table({"image": images, name: labels}), path, **written)
    return path


def dataset(source) -> SimpleNamespace:
    facts = {"storage": "arrays", "size_px": 64, "channels": 3, "max_gb": 4, "val_fraction": 0.1}
    return SimpleNamespace(source=source, corruptions=None, shifted={}, **facts)


@pytest.mark.parametrize("name", LABELS)
def test_rows_and_classes_are_those_of_all_files_and_groups(tmp_path, name):
    paths = [table(tmp_path / "0.parquet", list(range(3, 13)) * 20, name, row_group_size=4)]
    paths += [table(tmp_path / "1.parquet", [2], name)]
    assert footers.n_rows(paths) == 201
    assert footers.n_classes(paths) == 11  # 2 to 12


UNKNOWN = {
    "text": {"labels": ["cat", "dog"]},
    "no text": {"labels": pa.array([b"\xff\xfe", b"\xfa"], pa.binary()).view(pa.string())},
    "floats": {"labels": [0.0, 1.0]},
    "dates": {"labels": pa.array([2**31 - 1, 5], pa.int32()).view(pa.date32())},
    "times": {"labels": pa.array([2**62, 5], pa.int64()).view(pa.timestamp("us"))},
    "nested": {"labels": [{"name": 1}, {"name": 2}]},
    "names": {"labels": [5, 101_001, 902_331] * 20},  # of categories
    "far apart": {"labels": pa.array([0, 2**64 - 1], pa.uint64())},
    "without statistics": {"labels": [0, 1] * 20, "write_statistics": False},
    "none": {"labels": []},
}


@pytest.mark.parametrize("kind", UNKNOWN)
def test_of_other_labels_the_number_of_classes_is_unknown(tmp_path, kind):
    path = table(tmp_path / "train.parquet", **UNKNOWN[kind])
    assert footers.n_classes([path]) is None
    images = dataset(f"parquet:{path}")
    n = footers.n_rows([path]) or 50_000  # as if it were missing
    assert memory.logits_mb(images, []) == 4 * min(n, 1000) * (round(0.1 * n) + n) / 1e6


@pytest.mark.parametrize("seed", range(20))
def test_a_damaged_footer_is_an_error_that_callers_expect_or_a_number(tmp_path, seed):
    path = table(tmp_path / "train.parquet", ["cat", "dog"] * 20)
    content, drawn = bytearray(path.read_bytes()), random.Random(seed)
    for _ in range(5):
        content[drawn.randrange(len(content) // 2, len(content) - 8)] = drawn.randrange(256)
    path.write_bytes(content)
    for read in (footers.n_rows, footers.n_classes):
        with suppress(OSError):
            read([path])


def test_a_file_that_is_no_table_is_an_error_that_callers_expect(tmp_path):
    (tmp_path / "train.parquet").write_bytes(b"PAR1 and no more")
    for read in (footers.n_rows, footers.n_classes):
        with pytest.raises(OSError):
            read([tmp_path / "train.parquet"])


def test_memory_follows_the_larger_split_and_its_labels(tmp_path):
    table(tmp_path / "train/0.parquet", [0, 1, 2, 19] * 1000)
    table(tmp_path / "train/1.parquet", [5] * 2000)
    table(tmp_path / "test/0.parquet", [0] * 500)
    images = dataset(f"parquet:{tmp_path}")
    assert memory.images_mb(images) == 6000 * 3 * 64 * 64 / 1e6
    assert memory.logits_mb(images, []) == 4 * 20 * (600 + 6000) / 1e6
    ood = SimpleNamespace(source=f"parquet:{tmp_path}", n_images=None)
    assert memory.predicted_images(images, [ood]) == 600 + 6000 + 6000


def test_there_are_no_more_classes_than_images_where_labels_are_text(tmp_path):
    table(tmp_path / "train.parquet", ["cat", "dog"] * 20)
    assert memory.logits_mb(dataset(f"parquet:{tmp_path}"), []) == 4 * 40 * 44 / 1e6


@pytest.mark.parametrize("content", [None, b"no table"])
def test_tables_that_are_missing_or_broken_count_as_the_most(tmp_path, content):
    """The check of the config, or the job, says what is wrong with them."""
    if content:
        (tmp_path / "train.parquet").write_bytes(content)
    images = dataset(f"parquet:{tmp_path}")
    assert memory.images_mb(images) == 4000
    assert memory.logits_mb(images, []) == 4 * 1000 * 55_000 / 1e6


@pytest.mark.parametrize("kind", ["parquet", "folder"])
def test_val_that_comes_with_the_files_counts_whole(tmp_path, kind):
    for split in ("train", "validation", "test"):
        if kind == "parquet":
            table(tmp_path / f"{split}.parquet", [0, 1] * 50)
        for i in range(100 if kind == "folder" else 0):
            path = tmp_path / f"{split}/{i % 2}/{i}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    n = 100 if kind == "parquet" else 300  # of folders all splits are counted as if they were one
    assert memory.predicted_images(dataset(f"{kind}:{tmp_path}"), []) == 2 * n
