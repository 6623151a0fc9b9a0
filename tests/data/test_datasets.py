"""Splits, and the files that keep them."""

import dataclasses

import numpy as np
import pytest
from PIL import Image
from safetensors import safe_open

from selfdoubt.data import datasets
from selfdoubt.data.datasets import Split
from selfdoubt.data.image_files import ImageFiles
from selfdoubt.runtime import tensor_files
from selfdoubt.runtime.errors import UserError


def random_split(n: int = 5, channels: int = 1, size_px: int = 4) -> Split:
    draw = np.random.default_rng(n)
    images = draw.integers(0, 256, (n, channels, size_px, size_px)).astype(np.uint8)
    return Split(images, draw.integers(0, 3, n), np.arange(100, 100 + n, dtype=np.int32))


def assert_equal(one: Split, other: Split) -> None:
    for field in dataclasses.fields(Split):
        a, b = getattr(one, field.name), getattr(other, field.name)
        assert (a is None) == (b is None)
        if a is not None:
            assert a.dtype == b.dtype
            np.testing.assert_array_equal(a, b)


# ---- files ----


def test_splits_survive_a_file(tmp_path):
    splits = {"test": random_split(3), "gaussian-noise-1": random_split(7, channels=3)}
    datasets.write_splits(tmp_path / "a.safetensors", splits, {})
    read = datasets.read_splits(tmp_path / "a.safetensors")
    assert list(read) == ["gaussian-noise-1", "test"]
    for name, split in splits.items():
        assert_equal(read[name], split)
    assert read["test"].images.flags.writeable  # torch warns of read-only arrays


def test_strided_images_survive_a_file(tmp_path):
    whole = random_split(6, channels=3)
    strided = Split(whole.images[::2, ::-1], whole.labels[::2], whole.image_ids[::2])
    datasets.write_splits(tmp_path / "a.safetensors", {"test": strided}, {})
    assert_equal(datasets.read_splits(tmp_path / "a.safetensors")["test"], strided)


def test_equal_splits_give_equal_bytes_whatever_their_order(tmp_path):
    a, b = random_split(3), random_split(4)
    datasets.write_splits(tmp_path / "1.safetensors", {"a": a, "b": b}, {"seed": 1, "dataset": "x"})
    datasets.write_splits(tmp_path / "2.safetensors", {"b": b, "a": a}, {"dataset": "x", "seed": 1})
    assert (tmp_path / "1.safetensors").read_bytes() == (tmp_path / "2.safetensors").read_bytes()


def test_metadata_is_sorted_json(tmp_path):
    datasets.write_splits(tmp_path / "a.safetensors", {"a": random_split()}, {"seed": 1, "dataset": "x"})
    with safe_open(tmp_path / "a.safetensors", "numpy") as file:
        text = file.metadata()["selfdoubt"]
    assert text.startswith('{"crc32": ') and text.endswith(', "dataset": "x", "seed": 1}')


def test_a_split_of_wrong_types_is_not_written(tmp_path):
    split = random_split()
    for wrong in [
        dataclasses.replace(split, images=split.images / 255),
        dataclasses.replace(split, labels=split.labels.astype(np.int32)),
        dataclasses.replace(split, image_ids=split.image_ids[1:]),
        dataclasses.replace(split, images=split.images[:, 0]),
    ]:
        with pytest.raises(ValueError, match="split 'test'"):
            datasets.write_splits(tmp_path / "a.safetensors", {"test": wrong}, {})
    assert not list(tmp_path.iterdir())


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"a\.safetensors: no such file; run snakemake"):
        datasets.read_splits(tmp_path / "a.safetensors")


@pytest.mark.parametrize("kept", [0, 1, 100, -1])
def test_a_truncated_file_is_named(tmp_path, kept):
    path = tmp_path / "a.safetensors"
    datasets.write_splits(path, {"test": random_split()}, {})
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(UserError, match=r"a\.safetensors: not a whole file of images .* delete it and run again"):
        datasets.read_splits(path)


SPLIT_ARRAYS = {
    "test.images": np.zeros((2, 1, 4, 4), np.uint8),
    "test.labels": np.zeros(2, np.int64),
    "test.image_ids": np.zeros(2, np.int32),
}


@pytest.mark.parametrize(
    "arrays",
    [
        {},
        {"conv.weight": np.zeros(3, np.float32)},
        {"test.images": SPLIT_ARRAYS["test.images"]},
        {**SPLIT_ARRAYS, "test.logits": np.zeros((2, 10), np.float32)},
        {**SPLIT_ARRAYS, "test.labels": np.zeros(3, np.int64)},
        {**SPLIT_ARRAYS, "test.images": np.zeros((2, 1, 4, 4), np.float32)},
    ],
)
def test_a_foreign_file_is_named(tmp_path, arrays):
    tensor_files.write(tmp_path / "a.safetensors", arrays, {})
    with pytest.raises(UserError, match=r"a\.safetensors: holds no splits of images.* delete it and run again"):
        datasets.read_splits(tmp_path / "a.safetensors")


def test_masks_and_foreign_classes_survive_a_file(tmp_path):
    split = random_split(6, size_px=5)
    draw = np.random.default_rng(0)
    full = dataclasses.replace(split, masks=draw.random((6, 5, 5)) < 0.5, ood_classes=np.arange(6))
    datasets.write_splits(tmp_path / "a.safetensors", {"ood-x": full, "test": split}, {})
    read = datasets.read_splits(tmp_path / "a.safetensors")
    assert_equal(read["ood-x"], full)
    assert_equal(read["test"], split)
    with pytest.raises(ValueError, match="masks are of shape"):
        datasets.write_splits(tmp_path / "b", {"a": dataclasses.replace(full, masks=full.masks[:2])}, {})


def test_images_in_files_survive_a_file_that_names_no_outside_path(tmp_path):
    outside = tmp_path / "my photos"
    outside.mkdir()
    names = ["a b.png", "ü.png", "c.png"]
    for i, name in enumerate(names):
        Image.new("L", (6, 4), 50 * i).save(outside / name)
    split = Split(ImageFiles(outside, names, 1, 4), np.arange(3), np.arange(3, dtype=np.int32))
    path = tmp_path / "results/data/photos/train.safetensors"
    datasets.write_splits(path, {"train": split}, {})
    assert b"my photos" not in path.read_bytes()
    for _ in range(2):  # a second time, over the link of the first
        read = datasets.read_split(path, "train")
        assert read.images.names == names and read.images.shape == (3, 1, 4, 4)
        assert read.images[:][:, 0, 0, 0].tolist() == [0, 50, 100]
        datasets.write_splits(path, {"train": split}, {})


def test_take_gives_rows_of_every_array(tmp_path):
    split = random_split(6)
    full = dataclasses.replace(split, masks=split.images[:, 0] > 99)
    rows = np.array([4, 1])
    taken = datasets.take(full, rows)
    assert taken.image_ids.tolist() == [104, 101] and taken.ood_classes is None
    np.testing.assert_array_equal(taken.images, split.images[rows])
    np.testing.assert_array_equal(taken.masks, full.masks[rows])
    files = datasets.take(dataclasses.replace(split, images=ImageFiles(tmp_path, list("abcdef"), 1, 4)), rows)
    assert files.images.names == ["e", "b"]


# ---- where the object is ----


def test_foreground_is_where_any_channel_is_not_zero():
    images = np.zeros((2, 3, 2, 2), np.uint8)
    images[0, 2, 0, 1] = 1
    images[1, 0, 1, 0] = images[1, 1, 1, 1] = 255
    expected = [[[False, True], [False, False]], [[False, False], [True, True]]]
    split = Split(images, np.zeros(2, np.int64), np.arange(2, dtype=np.int32))
    assert datasets.foreground(split, "nonzero-pixels").tolist() == expected
    with pytest.raises(UserError, match="choose from nonzero-pixels"):
        datasets.foreground(split, "nonzero")
    with pytest.raises(UserError, match="masks: given"):
        datasets.foreground(split, "given")
    given = dataclasses.replace(split, masks=np.array(expected))
    assert datasets.foreground(given, "given").tolist() == expected
