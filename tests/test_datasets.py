import dataclasses
import gzip
import hashlib
import importlib.util
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from safetensors import safe_open

from selfdoubt import datasets, tensor_files
from selfdoubt.datasets import Split
from selfdoubt.errors import UserError

ROOT = Path(__file__).resolve().parents[1]
EMBEDDED = ROOT / "resources" / "fashion-mnist-12k"


def random_split(n: int = 5, channels: int = 1, size_px: int = 4) -> Split:
    draw = np.random.default_rng(n)
    images = draw.integers(0, 256, (n, channels, size_px, size_px)).astype(np.uint8)
    return Split(images, draw.integers(0, 3, n), np.arange(100, 100 + n, dtype=np.int32))


def assert_equal(one: Split, other: Split) -> None:
    for field in dataclasses.fields(Split):
        a, b = getattr(one, field.name), getattr(other, field.name)
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
        assert file.metadata() == {"selfdoubt": '{"dataset": "x", "seed": 1}'}


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


# ---- embedded sources ----


@pytest.fixture(scope="module")
def embedded() -> dict[str, Split]:
    return datasets.load_source("embedded:fashion-mnist-12k", EMBEDDED.parent)


def test_fashion_mnist_12k_is_balanced(embedded):
    assert list(embedded) == ["train", "val", "test"]
    for name, per_class in [("train", 1_000), ("val", 200), ("test", 1_000)]:
        split = embedded[name]
        assert np.bincount(split.labels).tolist() == [per_class] * 10
        assert split.images.shape == (10 * per_class, 1, 28, 28)
        assert [split.images.dtype, split.labels.dtype, split.image_ids.dtype] == [np.uint8, np.int64, np.int32]
    assert datasets.n_classes(embedded["train"]) == 10


def test_fashion_mnist_12k_has_no_image_twice(embedded):
    images = [image.tobytes() for split in embedded.values() for image in split.images]
    assert len(set(images)) == len(images) == 22_000
    assert not np.intersect1d(embedded["train"].image_ids, embedded["val"].image_ids).size


def test_fashion_mnist_12k_has_the_official_test_set(embedded):
    test = embedded["test"]
    assert test.image_ids.tolist() == list(range(10_000))
    assert test.labels[:10].tolist() == [9, 2, 1, 1, 6, 1, 4, 6, 5, 7]
    assert test.images.mean() / 255 == pytest.approx(0.2868, abs=1e-4)  # as published


def test_the_readme_states_the_digests_of_files_and_contents(embedded):
    stated = dict(reversed(re.split("  ", line)) for line in re.findall(r"[0-9a-f]{64}  .*", readme()))
    found = {}
    for name, split in embedded.items():
        found[f"{name}.parquet"] = hashlib.sha256((EMBEDDED / f"{name}.parquet").read_bytes()).hexdigest()
        content = split.image_ids.tobytes() + split.labels.astype(np.int8).tobytes() + split.images.tobytes()
        found[f"{name}: image_id, label and pixels"] = hashlib.sha256(content).hexdigest()
    assert stated == found


def readme() -> str:
    return (EMBEDDED / "README.md").read_text()


def encode(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def write_embedded(folder: Path, images: list[bytes], **columns) -> Path:
    """Write three splits of the same images; returns the resources folder."""
    folder.mkdir(exist_ok=True)
    labels = list(range(len(images)))
    table = pa.table({"image_id": labels, "image": pa.array(images, pa.binary()), "label": labels} | columns)
    for split in ("train", "val", "test"):
        pq.write_table(table, folder / f"{split}.parquet")
    return folder.parent


def test_colour_images_become_channels_first(tmp_path):
    red = np.zeros((4, 6, 3), np.uint8)
    red[..., 0] = 200
    root = write_embedded(tmp_path / "tiny", [encode(red), encode(red)])
    images = datasets.load_source("embedded:tiny", root)["val"].images
    assert images.shape == (2, 3, 4, 6) and images.flags.c_contiguous
    assert images.mean((0, 2, 3)).tolist() == [200, 0, 0]


GREY = np.zeros((4, 4), np.uint8)
SMALL, COLOUR = GREY[:2], np.zeros((4, 4, 3), np.uint8)


@pytest.mark.parametrize(
    ("images", "columns", "message"),
    [
        ([encode(GREY), encode(GREY)[:40]], {}, "row 1 is not an image"),
        ([encode(GREY), b"text"], {}, "row 1 is not an image"),
        ([encode(GREY), encode(SMALL)], {}, "row 1 is of shape"),
        ([encode(GREY), encode(COLOUR)], {}, "row 1 is of shape"),
        ([encode(GREY > 0)], {}, "row 0 is an image of mode 1"),
        ([], {}, "no rows"),
        ([encode(GREY)], {"label": pa.array([None], pa.int64())}, "nulls"),
        ([encode(GREY)], {"label": ["coat"]}, "no whole table of images"),
    ],
)
def test_a_faulty_image_table_is_named(tmp_path, images, columns, message):
    root = write_embedded(tmp_path / "tiny", images, **columns)
    with pytest.raises(UserError, match=rf"train\.parquet: .*{message}"):
        datasets.load_source("embedded:tiny", root)


def test_a_truncated_or_missing_table_is_named(tmp_path):
    root = write_embedded(tmp_path / "tiny", [encode(GREY)])
    path = root / "tiny" / "test.parquet"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(UserError, match=r"test\.parquet: no whole table"):
        datasets.load_source("embedded:tiny", root)
    path.unlink()
    with pytest.raises(UserError, match=r"test\.parquet: no whole table"):
        datasets.load_source("embedded:tiny", root)


def test_splits_of_different_shape_are_refused(tmp_path):
    root = write_embedded(tmp_path / "tiny", [encode(GREY)])
    write_embedded(tmp_path / "other", [encode(COLOUR)])
    (tmp_path / "other" / "val.parquet").rename(root / "tiny" / "val.parquet")
    with pytest.raises(UserError, match="differ in shape"):
        datasets.load_source("embedded:tiny", root)


def test_unknown_sources_name_the_choices(tmp_path):
    write_embedded(tmp_path / "tiny", [encode(GREY)])
    with pytest.raises(UserError, match="'embeded' is not known; choose from embedded"):
        datasets.load_source("embeded:tiny", tmp_path)
    with pytest.raises(UserError, match=r"embedded:tinny.* there are: tiny"):
        datasets.load_source("embedded:tinny", tmp_path)
    with pytest.raises(UserError, match="there is: sklearn:digits"):
        datasets.load_ood("sklearn:faces", 1, 28)


# ---- out of distribution, masks ----


@pytest.mark.parametrize(("channels", "size_px"), [(1, 28), (3, 32)])
def test_digits_take_the_shape_of_the_data_set(channels, size_px):
    digits = datasets.load_ood("sklearn:digits", channels, size_px)
    assert digits.images.shape == (1_797, channels, size_px, size_px)
    assert digits.images.dtype == np.uint8 and digits.images.flags.c_contiguous
    assert set(digits.labels.tolist()) == {-1}
    assert digits.image_ids.tolist() == list(range(1_797))
    assert (digits.images == digits.images[:, :1]).all()  # grey: all channels alike


def test_digits_at_their_own_size_are_rescaled_only():
    from sklearn.datasets import load_digits

    images = datasets.load_ood("sklearn:digits", 1, 8).images[:, 0]
    assert (images.min(), images.max()) == (0, 255)
    # 16 -> 255, so a value v is v * 255 / 16, at most half a step from its rounding
    assert np.abs(images - load_digits().images * 255 / 16).max() <= 0.5


def test_foreground_is_where_any_channel_is_not_zero():
    images = np.zeros((2, 3, 2, 2), np.uint8)
    images[0, 2, 0, 1] = 1
    images[1, 0, 1, 0] = images[1, 1, 1, 1] = 255
    expected = [[[False, True], [False, False]], [[False, False], [True, True]]]
    assert datasets.foreground(images, "nonzero-pixels").tolist() == expected
    with pytest.raises(UserError, match="choose from nonzero-pixels"):
        datasets.foreground(images, "nonzero")


# ---- the maker of the embedded files ----


@pytest.fixture(scope="module")
def maker():
    spec = importlib.util.spec_from_file_location("maker", EMBEDDED / "make_fashion_mnist_12k.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write_idx(path: Path, array: np.ndarray) -> None:
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes()
    path.write_bytes(gzip.compress(header + array.tobytes()))


@pytest.fixture
def idx_folder(tmp_path):
    """50 training and 20 test images; pixel (0, 0) tells the row."""
    folder = tmp_path / "idx"
    folder.mkdir()
    for name, n in [("train", 50), ("t10k", 20)]:
        images = np.zeros((n, 28, 28), np.uint8)
        images[:, 0, 0] = np.arange(n)
        write_idx(folder / f"{name}-images-idx3-ubyte.gz", images)
        write_idx(folder / f"{name}-labels-idx1-ubyte.gz", (np.arange(n) % 10).astype(np.uint8))
    return folder


def test_the_maker_keeps_rows_labels_and_pixels_together(maker, idx_folder, tmp_path):
    maker.make(idx_folder, tmp_path / "tiny", n_train=30, n_val=10)
    splits = datasets.load_source("embedded:tiny", tmp_path)
    assert {name: len(split.labels) for name, split in splits.items()} == {"train": 30, "val": 10, "test": 20}
    for name, split in splits.items():
        assert split.images[:, 0, 0, 0].tolist() == split.image_ids.tolist()
        assert (split.labels == split.image_ids % 10).all()
        assert np.bincount(split.labels).tolist() == [len(split.labels) // 10] * 10, name
    assert not set(splits["train"].image_ids) & set(splits["val"].image_ids)


def test_the_maker_gives_equal_bytes(maker, idx_folder, tmp_path):
    for output in ("one", "two"):
        maker.make(idx_folder, tmp_path / output, n_train=30, n_val=10)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_the_maker_names_what_is_wrong(maker, idx_folder, tmp_path):
    path = idx_folder / "train-images-idx3-ubyte.gz"
    whole = path.read_bytes()
    for content in (whole[:-20], b"text", gzip.compress(b"text"), gzip.compress(gzip.decompress(whole)[:-1])):
        path.write_bytes(content)
        with pytest.raises(UserError, match=r"train-images.*fetch it again"):
            maker.make(idx_folder, tmp_path / "tiny")
    path.unlink()
    with pytest.raises(UserError, match="no such file; apt install dataset-fashion-mnist"):
        maker.make(idx_folder, tmp_path / "tiny")


def test_importing_datasets_and_corruptions_is_light():
    program = "import json, sys, selfdoubt.datasets, selfdoubt.corruptions; print(json.dumps(list(sys.modules)))"
    environment = {"PYTHONPATH": str(ROOT / "workflow_scripts")}
    run = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert not {"torch", "sklearn", "pandas", "timm"} & set(json.loads(run.stdout))
