"""The embedded data set, tables of images, and the script that made them."""

import gzip
import hashlib
import importlib.util
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_data import encode, load_splits, write_idx

from selfdoubt.data import catalog, datasets
from selfdoubt.data.datasets import Split
from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.source_files import Folders

ROOT = Path(__file__).resolve().parents[2]
EMBEDDED = ROOT / "resources" / "fashion-mnist-12k"


# ---- embedded sources ----


@pytest.fixture(scope="module")
def embedded() -> dict[str, Split]:
    return load_splits("embedded:fashion-mnist-12k")


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


def write_embedded(folder: Path, images: list[bytes], **columns) -> Path:
    """Write three splits of the same images; returns the resources folder."""
    folder.mkdir(exist_ok=True)
    labels = list(range(len(images)))
    table = pa.table({"image_id": labels, "image": pa.array(images, pa.binary()), "label": labels} | columns)
    for split in ("train", "val", "test"):
        pq.write_table(table, folder / f"{split}.parquet")
    return folder.parent


def test_colour_images_become_channels_first(tmp_path):
    red = np.zeros((4, 4, 3), np.uint8)
    red[..., 0] = 200
    root = write_embedded(tmp_path / "tiny", [encode(red), encode(red)])
    images = load_splits("embedded:tiny", root)["val"].images
    assert images.shape == (2, 3, 4, 4) and images.flags.c_contiguous
    assert images.mean((0, 2, 3)).tolist() == [200, 0, 0]


GREY = np.zeros((4, 4), np.uint8)
SMALL, COLOUR = GREY[:2, :2], np.zeros((4, 4, 3), np.uint8)


@pytest.mark.parametrize(
    ("images", "columns", "message"),
    [
        ([encode(GREY), encode(GREY)[:40]], {}, "row 1: cannot be decoded"),
        ([encode(GREY), b"text"], {}, "row 1: cannot be decoded .no PNG, JPEG, .* image"),
        ([encode(GREY), b""], {}, "row 1: cannot be decoded .the file is empty"),
        ([encode(GREY), encode(SMALL)], {}, "row 1: of 2 x 2 px, the first of 4 x 4"),
        ([encode(GREY[:2]), encode(GREY)], {}, "row 0: of 4 x 2 px, not square"),
        ([], {}, "no rows"),
        ([encode(GREY)] * 2, {"label": pa.array([None, 1], pa.int64())}, "1 of 2 rows are null"),
        ([encode(GREY)] * 2, {"label": [0.5, 1.5]}, "labels are double, expected integers or text"),
        ([encode(GREY)] * 2, {"image": ["a", "b"]}, "images are string, expected the bytes"),
    ],
)
def test_a_faulty_image_table_is_named(tmp_path, images, columns, message):
    root = write_embedded(tmp_path / "tiny", images, **columns)
    with pytest.raises(UserError, match=rf"train\.parquet.*{message}") as fault:
        load_splits("embedded:tiny", root)
    assert "\n" not in str(fault.value)


def test_a_truncated_or_missing_table_is_named(tmp_path):
    root = write_embedded(tmp_path / "tiny", [encode(GREY)])
    path = root / "tiny" / "test.parquet"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(UserError, match=r"test\.parquet: not a whole Parquet file"):
        load_splits("embedded:tiny", root)
    path.unlink()
    with pytest.raises(UserError, match=r"test\.parquet .*missing"):
        load_splits("embedded:tiny", root)


def test_unknown_sources_name_the_choices(tmp_path):
    write_embedded(tmp_path / "tiny", [encode(GREY)])
    with pytest.raises(UserError, match=r"'embeded' .* embedded"):
        catalog.find("embeded:tiny", Folders(tmp_path, tmp_path))
    with pytest.raises(UserError, match=r"'tinny' is not an embedded data set; did you mean 'tiny'"):
        load_splits("embedded:tinny", tmp_path)


def test_fashion_scenes_are_the_same_clothes_with_exact_masks(tmp_path, embedded):
    """Composed of a few images of each split, which is quick; labels and ids are theirs."""
    for split in ("train", "val", "test"):
        path = tmp_path / "fashion-mnist-12k" / f"{split}.parquet"
        path.parent.mkdir(exist_ok=True)
        pq.write_table(pq.read_table(EMBEDDED / path.name).slice(0, 40), path)
    scenes = load_splits("fashion-scenes", tmp_path)
    for name, split in scenes.items():
        assert split.images.shape == (40, 3, 32, 32)
        assert split.labels.tolist() == embedded[name].labels[:40].tolist()
        assert split.image_ids.tolist() == embedded[name].image_ids[:40].tolist()
        assert split.masks.any((1, 2)).all() and datasets.foreground(split, "given") is split.masks
    for size_px in (16, 64):  # masks are cut and resized as their images are
        other = load_splits("fashion-scenes", tmp_path, size_px=size_px)["test"]
        assert other.images.shape[2:] == other.masks.shape[1:] == (size_px, size_px)
        shares = [each.masks.mean((1, 2)) for each in (other, scenes["test"])]
        np.testing.assert_allclose(*shares, atol=0.03)


# ---- the maker of the embedded files ----


@pytest.fixture(scope="module")
def maker():
    spec = importlib.util.spec_from_file_location("maker", EMBEDDED / "make_fashion_mnist_12k.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def idx_folder(tmp_path):
    """50 training and 20 test images; pixel (0, 0) is the row."""
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
    splits = load_splits("embedded:tiny", tmp_path)
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
