"""Data sets in the formats in which they are published, and what is wrong with them."""

import gzip
import hashlib
import importlib.util
import io
import json
import pickle
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from selfdoubt import datasets, published, sources
from selfdoubt.datasets import Split
from selfdoubt.errors import UserError
from selfdoubt.image_files import ImageFiles
from selfdoubt.settings.data import Dataset, OodSet

ROOT = Path(__file__).resolve().parents[1]
EMBEDDED = ROOT / "resources" / "fashion-mnist-12k"


def load(source: str, resources: Path = ROOT / "resources", **settings):
    return sources.load(Dataset(source=str(source), **settings), resources)


def load_splits(source: str, resources: Path = ROOT / "resources", **settings) -> dict[str, Split]:
    return load(source, resources, **settings)[0]


def load_ood(source: str, channels: int, size_px: int, split: str = "test", n_images: int | None = None) -> Split:
    settings = OodSet(source=str(source), split=split, n_images=n_images)
    return sources.load_ood(settings, ROOT / "resources", channels, size_px)


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
        ([encode(GREY), b"text"], {}, "row 1: cannot be decoded .no known image format"),
        ([encode(GREY), b""], {}, "row 1: cannot be decoded .the file is empty"),
        ([encode(GREY), encode(SMALL)], {}, "row 1: of 2 x 2 px, the first of 4 x 4; set size_px"),
        ([encode(GREY[:2]), encode(GREY)], {}, "row 0: of 4 x 2 px, not square; set size_px"),
        ([], {}, "no rows"),
        ([encode(GREY)] * 2, {"label": pa.array([None, 1], pa.int64())}, "nulls"),
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
    published.files_of.cache_clear()
    with pytest.raises(UserError, match=r"test\.parquet is missing"):
        load_splits("embedded:tiny", root)


def test_unknown_sources_name_the_choices(tmp_path):
    write_embedded(tmp_path / "tiny", [encode(GREY)])
    with pytest.raises(UserError, match="'embeded:tiny' is not known; choose from embedded"):
        sources.find("embeded:tiny", tmp_path)
    with pytest.raises(UserError, match=r"'tinny' is not an embedded data set; did you mean 'tiny'"):
        load_splits("embedded:tinny", tmp_path)


# ---- as published ----


def some_images(n: int, size_px: int, channels: int, n_classes: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Random images (n, C, H, W), and labels of which every class has as many."""
    draw = np.random.default_rng(seed)
    return draw.integers(0, 256, (n, channels, size_px, size_px)).astype(np.uint8), np.arange(n) % n_classes


def check_official(splits: dict[str, Split], train, test) -> None:
    """Official test as it is; val and train together are the official train, each image with its label."""
    np.testing.assert_array_equal(splits["test"].images, test[0])
    np.testing.assert_array_equal(splits["test"].labels, test[1])
    for name in ("train", "val"):
        rows = splits[name].image_ids
        np.testing.assert_array_equal(splits[name].images, train[0][rows])
        np.testing.assert_array_equal(splits[name].labels, train[1][rows])
    both = np.concatenate([splits["train"].image_ids, splits["val"].image_ids])
    assert sorted(both) == list(range(len(train[0])))


def test_fashion_mnist_is_read_from_its_idx_files(tmp_path):
    train, test = some_images(40, 28, 1, 10), some_images(20, 28, 1, 10, seed=1)
    for name, (images, labels) in {"train": train, "t10k": test}.items():
        write_idx(tmp_path / f"{name}-images-idx3-ubyte.gz", images[:, 0])
        write_idx(tmp_path / f"{name}-labels-idx1-ubyte.gz", labels.astype(np.uint8))
    check_official(load_splits(f"fashion-mnist:{tmp_path}"), train, test)


def write_cifar(folder: Path, fine: bool = False) -> tuple:
    """Pickles as CIFAR's authors made them: byte keys, rows of 3,072 values."""
    n_classes = 100 if fine else 10
    train, test = some_images(400 if fine else 100, 32, 3, n_classes), some_images(n_classes, 32, 3, n_classes, seed=1)
    key = b"fine_labels" if fine else b"labels"
    batches = {"test" if fine else "test_batch": test}
    if fine:
        batches["train"] = train
    for i in range(0 if fine else 5):
        batches[f"data_batch_{i + 1}"] = tuple(array[20 * i : 20 * i + 20] for array in train)
    folder.mkdir()
    for name, (images, labels) in batches.items():
        batch = {b"data": images.reshape(len(images), -1), key: labels.tolist(), b"filenames": [b"x.png"]}
        (folder / name).write_bytes(pickle.dumps(batch, protocol=2))
    names = [f"class {i}".encode() for i in range(n_classes)]
    meta = {b"fine_label_names" if fine else b"label_names": names}
    (folder / ("meta" if fine else "batches.meta")).write_bytes(pickle.dumps(meta, protocol=2))
    return train, test


def test_cifar_is_read_from_its_pickles(tmp_path):
    train, test = write_cifar(tmp_path / "cifar-10-batches-py")
    splits, counts = load(f"cifar10:{tmp_path / 'cifar-10-batches-py'}")
    check_official(splits, train, test)
    assert "class 3" in {row["class_name"] for row in counts}
    train, test = write_cifar(tmp_path / "cifar-100-python", fine=True)
    check_official(load_splits(f"cifar100:{tmp_path / 'cifar-100-python'}"), train, test)


def test_cifar_is_read_from_its_archive_if_that_is_the_published_one(tmp_path, monkeypatch):
    train, test = write_cifar(tmp_path / "cifar-10-batches-py")
    archive = tmp_path / "resources/downloads/cifar-10-python.tar.gz"
    archive.parent.mkdir(parents=True)
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(tmp_path / "cifar-10-batches-py", "cifar-10-batches-py")
    with pytest.raises(UserError, match=r"cifar-10-python\.tar\.gz: not the published file"):
        load_splits("cifar10", tmp_path / "resources")
    md5 = hashlib.md5(archive.read_bytes()).hexdigest()
    monkeypatch.setitem(published.DOWNLOADS, archive.name, ("https://example.org", md5))
    check_official(load_splits("cifar10", tmp_path / "resources"), train, test)
    assert [path.name for path in archive.parent.iterdir()] == [archive.name]  # nothing is unpacked


def test_a_pickle_that_would_run_code_is_refused(tmp_path):
    write_cifar(tmp_path / "cifar")

    class Evil:
        def __reduce__(self):
            return Path.touch, (tmp_path / "touched",)

    (tmp_path / "cifar/test_batch").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(UserError, match=r"test_batch: not a whole file as published .*which is no array"):
        load_splits(f"cifar10:{tmp_path / 'cifar'}")
    assert not (tmp_path / "touched").exists()


def test_svhn_is_read_from_matlab_and_its_ten_is_zero(tmp_path):
    from scipy.io import savemat

    train, test = some_images(40, 32, 3, 10), some_images(20, 32, 3, 10, seed=1)
    for name, (images, labels) in {"train": train, "test": test}.items():
        y = np.where(labels == 0, 10, labels)[:, None].astype(np.uint8)
        savemat(tmp_path / f"{name}_32x32.mat", {"X": images.transpose(2, 3, 1, 0), "y": y})
    check_official(load_splits(f"svhn:{tmp_path}"), train, test)


def test_stl10_is_read_from_its_columns(tmp_path):
    train, test = some_images(40, 96, 3, 10), some_images(20, 96, 3, 10, seed=1)
    for name, (images, labels) in {"train": train, "test": test}.items():
        (tmp_path / f"{name}_X.bin").write_bytes(images.transpose(0, 1, 3, 2).tobytes())
        (tmp_path / f"{name}_y.bin").write_bytes((labels + 1).astype(np.uint8).tobytes())
    (tmp_path / "class_names.txt").write_text("\n".join(f"c{i}" for i in range(10)))
    check_official(load_splits(f"stl10:{tmp_path}"), train, test)
    small = load_splits(f"stl10:{tmp_path}", size_px=32, channels=1)["test"].images
    assert small.shape == (20, 1, 32, 32) and abs(small.mean() - test[0].mean()) < 3


def write_tiny_imagenet(root: Path) -> list[str]:
    wnids = ["n03", "n01", "n02"]  # as published, not in the order of the alphabet
    root.mkdir(parents=True)
    (root / "wnids.txt").write_text("\n".join(wnids))
    (root / "words.txt").write_text("n01\tcat\nn02\tdog\nn99\tnothing\n")
    lines = []
    for label, wnid in enumerate(wnids):
        (root / f"train/{wnid}/images").mkdir(parents=True)
        for i in range(5):
            Image.new("RGB", (64, 64), (80 * label, i, 0)).save(
                root / f"train/{wnid}/images/{wnid}_{i}.JPEG", quality=95
            )
    (root / "val/images").mkdir(parents=True)
    for i in range(6):
        Image.new("L", (64, 64), 80 * (i % 3)).save(root / f"val/images/val_{i}.JPEG")  # some are grey, as there
        lines.append(f"val_{i}.JPEG\t{wnids[i % 3]}\t0\t0\t62\t62")
    (root / "val/val_annotations.txt").write_text("\n".join(lines))
    return wnids


def test_tiny_imagenet_is_read_from_its_folder_and_from_its_archive(tmp_path, monkeypatch):
    write_tiny_imagenet(tmp_path / "tiny-imagenet-200")
    splits, counts = load(f"tiny-imagenet:{tmp_path / 'tiny-imagenet-200'}")
    assert splits["train"].images.shape == (12, 3, 64, 64)  # one of five of each class is val
    assert np.abs(splits["train"].images[:, 0, 9, 9] - 80.0 * splits["train"].labels).max() < 4
    assert splits["test"].labels.tolist() == [0, 1, 2] * 2
    assert np.abs(splits["test"].images[:, 1, 9, 9] - 80.0 * splits["test"].labels).max() < 4
    assert {row["class_name"] for row in counts if row["class_name"]} == {"n03", "cat", "dog"}
    assert [row["count"] for row in counts if row["statistic"] == "converted"] == [6]

    archive = tmp_path / "resources/downloads/tiny-imagenet-200.zip"
    archive.parent.mkdir(parents=True)
    with zipfile.ZipFile(archive, "w") as zipped:
        for path in sorted((tmp_path / "tiny-imagenet-200").rglob("*")):
            zipped.write(path, path.relative_to(tmp_path))
    md5 = hashlib.md5(archive.read_bytes()).hexdigest()
    monkeypatch.setitem(published.DOWNLOADS, archive.name, ("https://example.org", md5))
    for name, split in load_splits("tiny-imagenet", tmp_path / "resources").items():
        np.testing.assert_array_equal(split.images, splits[name].images)
        np.testing.assert_array_equal(split.labels, splits[name].labels)


def write_imagenet(root: Path, flat: bool) -> None:
    from scipy.io import savemat

    wnids = ["n01", "n02"]
    for label, wnid in enumerate(wnids):
        for split in ("train", "val"):
            (root / split / wnid).mkdir(parents=True)
        for i in range(5):
            Image.new("RGB", (40, 30), (100 * label, 0, 0)).save(root / f"train/{wnid}/{wnid}_{i}.JPEG")
    truth = [2, 1, 1, 2]
    for i, label in enumerate(truth):
        folder = root / "val" if flat else root / "val" / wnids[label - 1]
        Image.new("RGB", (40, 30), (100 * (label - 1), 0, 0)).save(folder / f"ILSVRC2012_val_{i + 1:08}.JPEG")
    if flat:
        data = root / "ILSVRC2012_devkit_t12/data"
        data.mkdir(parents=True)
        (data / "ILSVRC2012_validation_ground_truth.txt").write_text("\n".join(map(str, truth)))
        rows = [(i + 1, wnid, 0) for i, wnid in enumerate(wnids)] + [(3, "n00", 2)]
        kinds = [("ILSVRC2012_ID", "f8"), ("WNID", "O"), ("num_children", "f8")]
        savemat(data / "meta.mat", {"synsets": np.array(rows, kinds)[:, None]})


@pytest.mark.parametrize("flat", [False, True])
def test_imagenet_keeps_its_official_val_as_test_and_stays_in_its_files(tmp_path, flat):
    write_imagenet(tmp_path, flat)
    splits = load_splits(f"imagenet:{tmp_path}", size_px=16, storage="files")
    assert {name: len(split.labels) for name, split in splits.items()} == {"train": 8, "val": 2, "test": 4}
    for split in splits.values():
        assert isinstance(split.images, ImageFiles)
        assert np.abs(split.images[:][:, 0, 8, 8] - 100.0 * split.labels).max() < 5


def test_a_flat_imagenet_without_its_devkit_is_refused(tmp_path):
    write_imagenet(tmp_path, flat=True)
    next(tmp_path.rglob("*ground_truth.txt")).unlink()
    with pytest.raises(UserError, match="val is flat and ILSVRC2012_validation_ground_truth"):
        load_splits(f"imagenet:{tmp_path}", size_px=16)


def test_a_published_copy_that_lacks_a_file_is_refused_by_its_name(tmp_path):
    write_cifar(tmp_path / "cifar")
    (tmp_path / "cifar/data_batch_3").unlink()
    with pytest.raises(UserError, match="data_batch_3 is missing; put cifar10's files there"):
        load_splits(f"cifar10:{tmp_path / 'cifar'}")


def test_facts_are_those_of_torchvision():
    from torchvision import datasets as theirs

    facts = published.DOWNLOADS
    for name, kind in {"cifar10": theirs.CIFAR10, "cifar100": theirs.CIFAR100}.items():
        assert facts[kind.filename] == (kind.url, kind.tgz_md5)
        members = {name for name, _ in [*kind.train_list, *kind.test_list]} | {kind.meta["filename"]}
        assert set(published.PUBLISHED[name].members) == members
    assert facts[theirs.STL10.filename] == (theirs.STL10.url, theirs.STL10.tgz_md5)
    for split in ("train", "test"):
        url, name, md5 = theirs.SVHN.split_list[split]
        assert facts[name] == (url, md5)
    for name, md5 in theirs.FashionMNIST.resources:
        assert facts[name] == (theirs.FashionMNIST.mirrors[0] + name, md5)


# ---- folders ----


def write_folder(root: Path, n: int = 10, classes=("ant", "bee", "cat"), size=(20, 30)) -> None:
    """Files of PNG and JPEG in a folder for each class; red tells the class, green the image."""
    for label, name in enumerate(classes):
        (root / name).mkdir(parents=True)
        for i in range(n):
            image = Image.new("RGB", size, (80 * label, 10 * i, 7))
            image.save(root / name / f"{i:03}.{'png' if i % 2 else 'jpg'}", quality=95)


def count_of(counts: list[dict], split: str, statistic: str, note: str | None = None) -> int:
    rows = [row for row in counts if (row["split"], row["statistic"], row["label"]) == (split, statistic, None)]
    return next(row["count"] for row in rows if note is None or note in row["note"])


@pytest.mark.parametrize("storage", ["arrays", "files"])
def test_a_folder_is_split_by_class_and_seed(tmp_path, storage):
    write_folder(tmp_path / "photos")
    splits, counts = load(f"folder:{tmp_path / 'photos'}", size_px=16, storage=storage)
    assert {name: len(split.labels) for name, split in splits.items()} == {"train": 21, "val": 3, "test": 6}
    seen = [(label, i) for split in splits.values() for label, i in zip(split.labels, split.image_ids, strict=True)]
    assert len({i for _, i in seen}) == 30 and all(label == i // 10 for label, i in seen)
    for name, split in splits.items():
        assert np.bincount(split.labels).tolist() == [len(split.labels) // 3] * 3
        assert np.abs(split.images[:][:, 0, 8, 8] - 80.0 * split.labels).max() < 5
        assert np.abs(split.images[:][:, 1, 8, 8] - 10.0 * (split.image_ids % 10)).max() < 5
        assert count_of(counts, name, "images") == len(split.labels)
    assert {row["class_name"] for row in counts if row["class_name"]} == {"ant", "bee", "cat"}
    again = load_splits(f"folder:{tmp_path / 'photos'}", size_px=16, storage=storage)
    other = load_splits(f"folder:{tmp_path / 'photos'}", size_px=16, storage=storage, split_seed=1)
    assert again["test"].image_ids.tolist() == splits["test"].image_ids.tolist() != other["test"].image_ids.tolist()


def test_files_and_arrays_are_the_same_data(tmp_path):
    write_folder(tmp_path)
    arrays = load_splits(f"folder:{tmp_path}", size_px=16)
    files = load_splits(f"folder:{tmp_path}", size_px=16, storage="files")
    for name, split in arrays.items():
        np.testing.assert_array_equal(split.images, files[name].images[:])
        np.testing.assert_array_equal(split.image_ids, files[name].image_ids)


def test_a_folder_with_splits_keeps_them(tmp_path):
    for split, n in {"train": 6, "val": 2, "test": 3}.items():
        write_folder(tmp_path / split, n)
    splits = load_splits(f"folder:{tmp_path}", size_px=16)
    assert {name: len(split.labels) for name, split in splits.items()} == {"train": 18, "val": 6, "test": 9}


def test_masks_beside_a_folder_are_the_truth(tmp_path):
    write_folder(tmp_path, size=(20, 20))
    for path in sorted(tmp_path.glob("*/*")):
        mask = np.zeros((20, 20), np.uint8)
        mask[:10] = 255 if path.parent.name == "bee" else 1
        (tmp_path / "masks" / path.parent.name).mkdir(parents=True, exist_ok=True)
        Image.fromarray(mask).save(tmp_path / "masks" / path.parent.name / f"{path.stem}.png")
    split = load_splits(f"folder:{tmp_path}", size_px=10)["train"]
    truth = datasets.foreground(split, "given")
    assert truth.shape == (21, 10, 10) and truth[:, :5].all() and not truth[:, 5:].any()
    (tmp_path / "masks/ant/003.png").unlink()
    with pytest.raises(UserError, match=r"masks/ant/003\.png: the mask of ant/003\.png is missing"):
        load_splits(f"folder:{tmp_path}", size_px=10)


# ---- parquet ----


def test_the_hubs_layout_is_read(tmp_path):
    draw = np.random.default_rng(0)
    names = {"info": {"features": {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}}}
    for file, n in {"train-00000-of-00002": 12, "train-00001-of-00002": 8, "test-00000-of-00001": 6}.items():
        images = [encode(draw.integers(0, 256, (9, 9, 3)).astype(np.uint8)) for _ in range(n)]
        rows = [{"image": {"bytes": image, "path": "x.png"}, "label": i % 2} for i, image in enumerate(images)]
        table = pa.Table.from_pylist(rows).replace_schema_metadata({"huggingface": json.dumps(names)})
        pq.write_table(table, tmp_path / f"{file}.parquet")
    splits, counts = load(f"parquet:{tmp_path}")
    assert {name: len(split.labels) for name, split in splits.items()} == {"train": 18, "val": 2, "test": 6}
    assert {row["class_name"] for row in counts if row["class_name"]} == {"cat", "dog"}
    assert splits["test"].images.shape == (6, 3, 9, 9)


@pytest.mark.parametrize("labels", [[7, 3, 9], ["b", "a", "c"]])
def test_labels_become_rows_of_their_sorted_names(tmp_path, labels):
    images = [encode(np.full((4, 4), 8 * i, np.uint8)) for i in range(30)]
    table = pa.table({"image": images, "label": labels * 10})
    pq.write_table(table, tmp_path / "all.parquet")
    splits, counts = load(f"parquet:{tmp_path / 'all.parquet'}")
    rank = [sorted(labels).index(label) for label in labels]
    for split in splits.values():
        assert split.labels.tolist() == [rank[i % 3] for i in split.image_ids]
    assert [row["class_name"] for row in counts if row["class_name"]][:3] == [str(label) for label in sorted(labels)]


def test_a_label_that_train_lacks_is_refused(tmp_path):
    for split, labels in {"train": [0, 1], "test": [0, 2]}.items():
        pq.write_table(pa.table({"image": [encode(GREY)] * 2, "label": labels}), tmp_path / f"{split}.parquet")
    with pytest.raises(UserError, match=r"test\.parquet: label 2 is not in train"):
        load_splits(f"parquet:{tmp_path}")


# ---- bad data ----


def test_what_is_no_image_is_named_and_counted(tmp_path):
    write_folder(tmp_path)
    (tmp_path / "ant/002.jpg").write_bytes(b"")
    (tmp_path / "bee/004.jpg").write_bytes((tmp_path / "bee/006.jpg").read_bytes()[:300])
    with pytest.raises(
        UserError, match=r"ant/002\.jpg: cannot be decoded \(the file is empty\).* \(and 1 more\)"
    ) as fault:
        load_splits(f"folder:{tmp_path}", size_px=16)
    assert "\n" not in str(fault.value)
    with pytest.raises(UserError, match=r"ant/002\.jpg: cannot be decoded"):
        load_splits(f"folder:{tmp_path}", size_px=16, storage="files")


def test_other_modes_are_converted_and_counted(tmp_path):
    write_folder(tmp_path)
    Image.new("L", (20, 20), 99).save(tmp_path / "ant/001.png")
    Image.new("RGBA", (20, 20), (0, 0, 0, 0)).save(tmp_path / "ant/003.png")
    Image.fromarray(np.full((20, 20), 99 * 256 + 7, np.uint16)).save(tmp_path / "ant/005.png")
    splits, counts = load(f"folder:{tmp_path}", size_px=16, channels=3)
    values = {
        int(i): image[:, 8, 8].tolist() for s in splits.values() for i, image in zip(s.image_ids, s.images, strict=True)
    }
    assert values[1] == [99] * 3 and values[3] == [255] * 3 and values[5] == [99] * 3
    notes = {row["note"]: row["count"] for row in counts if row["statistic"] == "converted"}
    assert notes == {"L to RGB": 1, "RGBA to RGB": 1, "I;16 to RGB": 1}


def test_a_class_folder_without_images_is_refused(tmp_path):
    write_folder(tmp_path)
    (tmp_path / "dog").mkdir()
    (tmp_path / "dog/readme.txt").write_text("none yet")
    with pytest.raises(UserError, match="dog: a class folder without images"):
        load_splits(f"folder:{tmp_path}", size_px=16)


def test_a_class_that_a_split_lacks_is_refused(tmp_path):
    write_folder(tmp_path / "train", 5)
    write_folder(tmp_path / "val", 2, classes=("ant", "bee"))
    with pytest.raises(UserError, match="class 'cat' has no image in val"):
        load_splits(f"folder:{tmp_path}", size_px=16)
    write_folder(tmp_path / "one/ant", 1, classes=("a", "b"))
    with pytest.raises(UserError, match=r"class 'a' \(nor 1 more\) has no image in test"):
        load_splits(f"folder:{tmp_path / 'one/ant'}", size_px=16)


def test_a_class_that_train_lacks_is_refused(tmp_path):
    write_folder(tmp_path / "train", 5, classes=("ant", "bee"))
    write_folder(tmp_path / "test", 2)
    with pytest.raises(UserError, match="test/cat: a class that train has not"):
        load_splits(f"folder:{tmp_path}", size_px=16)


def test_one_class_is_refused(tmp_path):
    write_folder(tmp_path, classes=("ant",))
    with pytest.raises(UserError, match=r"the data set has one class \('ant'\)"):
        load_splits(f"folder:{tmp_path}", size_px=16)


def test_duplicates_are_reported_and_stay(tmp_path):
    for split in ("train", "test"):
        write_folder(tmp_path / split, 6)
    splits, counts = load(f"folder:{tmp_path}", size_px=16)
    assert count_of(counts, "test", "duplicates", "of a training image") >= 12  # the rest are equal to those of val
    assert count_of(counts, "test", "duplicates", "of another") == 0
    assert len(splits["test"].labels) == 18


def test_files_left_aside_are_reported(tmp_path):
    write_folder(tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "ant/Thumbs.db").write_bytes(b"x")
    row = next(row for row in load(f"folder:{tmp_path}", size_px=16)[1] if row["statistic"] == "ignored files")
    assert row["count"] == 2 and row["note"] == "ant/Thumbs.db, notes.txt"


def test_a_link_out_of_the_root_is_refused(tmp_path):
    write_folder(tmp_path / "photos")
    Image.new("RGB", (9, 9)).save(tmp_path / "secret.png")
    (tmp_path / "photos/ant/999.png").symlink_to(tmp_path / "secret.png")
    with pytest.raises(UserError, match=r"999\.png: a link that leads out of"):
        load_splits(f"folder:{tmp_path / 'photos'}", size_px=16)


def test_images_of_several_sizes_need_a_size(tmp_path):
    write_folder(tmp_path, size=(20, 20))
    Image.new("RGB", (20, 22)).save(tmp_path / "cat/001.png")
    with pytest.raises(UserError, match=r"cat/001\.png: of 20 x 22 px, the first of 20 x 20; set size_px"):
        load_splits(f"folder:{tmp_path}")


def test_too_much_for_memory_is_refused_before_it_is_read(tmp_path):
    write_folder(tmp_path)
    with pytest.raises(UserError, match=r"30 images of 100 px take 0\.0009 GB in memory, max_gb is 0\.0001"):
        load_splits(f"folder:{tmp_path}", size_px=100, max_gb=0.0001)


# ---- out of distribution ----


@pytest.mark.parametrize(("channels", "size_px"), [(1, 28), (3, 32)])
def test_digits_take_the_shape_of_the_data_set(channels, size_px):
    digits = load_ood("sklearn:digits", channels, size_px)
    assert digits.images.shape == (1_797, channels, size_px, size_px)
    assert digits.images.dtype == np.uint8 and digits.images.flags.c_contiguous
    assert set(digits.labels.tolist()) == {-1}
    assert digits.image_ids.tolist() == list(range(1_797))
    assert (digits.images == digits.images[:, :1]).all()  # grey: all channels alike


def test_digits_at_their_own_size_are_rescaled_only():
    from sklearn.datasets import load_digits

    images = load_ood("sklearn:digits", 1, 8).images[:, 0]
    assert (images.min(), images.max()) == (0, 255)
    # 16 -> 255, so a value v is v * 255 / 16, at most half a step from its rounding
    assert np.abs(images - load_digits().images * 255 / 16).max() <= 0.5


def test_any_data_set_is_a_foreign_one_for_another(tmp_path):
    write_folder(tmp_path)
    found = load_ood(f"folder:{tmp_path}", channels=1, size_px=8, n_images=12)
    assert found.images.shape == (12, 1, 8, 8) and set(found.labels.tolist()) == {-1}
    assert found.ood_classes.tolist() == (found.image_ids // 10).tolist()
    write_cifar(tmp_path / "cifar")
    test = load_ood(f"cifar10:{tmp_path / 'cifar'}", channels=1, size_px=28)
    assert test.images.shape == (10, 1, 28, 28) and test.ood_classes.tolist() == list(range(10))
    assert len(load_ood(f"cifar10:{tmp_path / 'cifar'}", 3, 32, split="train").labels) == 100


def test_a_bare_folder_of_images_is_a_foreign_set(tmp_path):
    for i in range(4):
        Image.new("RGB", (30, 20), (0, 60 * i, 0)).save(tmp_path / f"{i}.png")
    assert load_ood(f"folder:{tmp_path}", 3, 8).images[:, 1, 4, 4].tolist() == [0, 60, 120, 180]


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


def test_importing_datasets_and_corruptions_is_light():
    program = "import json, sys, selfdoubt.datasets, selfdoubt.corruptions; print(json.dumps(list(sys.modules)))"
    environment = {"PYTHONPATH": str(ROOT / "workflow_scripts")}
    run = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert not {"torch", "sklearn", "pandas", "timm"} & set(json.loads(run.stdout))
