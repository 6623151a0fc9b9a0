"""Data sets in the formats in which their authors publish them."""

import hashlib
import pickle
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from clothes import clothes
from small_data import load, load_splits, some_images, write_cifar, write_idx, write_imagenet, write_tiny_imagenet

from selfdoubt.data import scenes
from selfdoubt.data.datasets import Split
from selfdoubt.data.image_files import ImageFiles
from selfdoubt.runtime.errors import UserError
from selfdoubt.settings import catalog
from selfdoubt.settings.sources import cifar10, cifar100, tiny_imagenet

# ---- as published ----


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


def test_fashion_scenes_are_composed_of_all_of_fashion_mnist_too(tmp_path):
    for name, split in (("train", "train"), ("t10k", "test")):
        some = clothes(split, 40)
        write_idx(tmp_path / f"{name}-images-idx3-ubyte.gz", some.images[:, 0])
        write_idx(tmp_path / f"{name}-labels-idx1-ubyte.gz", (np.arange(40) % 10).astype(np.uint8))
    splits = load_splits(f"fashion-scenes:fashion-mnist:{tmp_path}", val_from="test")
    images, masks = scenes.compose(clothes("train", 40).images, np.arange(40), "train")
    assert np.array_equal(splits["train"].images, images) and np.array_equal(splits["train"].masks, masks)
    assert len(splits["val"].labels) + len(splits["test"].labels) == 40
    assert not catalog.is_embedded("fashion-scenes:fashion-mnist") and catalog.is_embedded("fashion-scenes")
    with pytest.raises(UserError, match="'cifar10' is no data set whose objects are placed; write fashion-mnist"):
        load_splits("fashion-scenes:cifar10")


def test_cifar_is_read_from_its_pickles(tmp_path):
    train, test = write_cifar(tmp_path / "cifar-10-batches-py")
    splits, counts = load(f"cifar10:{tmp_path / 'cifar-10-batches-py'}")
    check_official(splits, train, test)
    assert "class 3" in {row["class_name"] for row in counts}
    train, test = write_cifar(tmp_path / "cifar-100-python", fine=True)
    check_official(load_splits(f"cifar100:{tmp_path / 'cifar-100-python'}"), train, test)


def test_cifar_is_read_from_its_archive_if_that_is_the_published_one(tmp_path, monkeypatch):
    train, test = write_cifar(tmp_path / "cifar-10-batches-py")
    archive = tmp_path / "resources/cifar-10-python.tar.gz"
    archive.parent.mkdir(parents=True)
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(tmp_path / "cifar-10-batches-py", "cifar-10-batches-py")
    with pytest.raises(UserError, match=r"cifar-10-python\.tar\.gz: not the published file"):
        load_splits("cifar10", tmp_path / "resources")
    md5 = hashlib.md5(archive.read_bytes()).hexdigest()
    monkeypatch.setitem(cifar10.DOWNLOADS, archive.name, ("https://example.org", md5))
    check_official(load_splits("cifar10", tmp_path / "resources"), train, test)
    assert [path.name for path in archive.parent.iterdir()] == [archive.name]  # nothing is unpacked


def test_a_pickle_that_would_run_code_is_refused(tmp_path):
    write_cifar(tmp_path / "cifar")

    class Evil:
        def __reduce__(self):
            return Path.touch, (tmp_path / "touched",)

    (tmp_path / "cifar/test_batch").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(UserError, match=r"test_batch.* no array"):
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


def test_tiny_imagenet_is_read_from_its_folder_and_from_its_archive(tmp_path, monkeypatch):
    write_tiny_imagenet(tmp_path / "tiny-imagenet-200")
    splits, counts = load(f"tiny-imagenet:{tmp_path / 'tiny-imagenet-200'}")
    assert splits["train"].images.shape == (12, 3, 64, 64)  # one of five of each class is val
    assert np.abs(splits["train"].images[:, 0, 9, 9] - 80.0 * splits["train"].labels).max() < 4
    assert splits["test"].labels.tolist() == [0, 1, 2] * 2
    assert np.abs(splits["test"].images[:, 1, 9, 9] - 80.0 * splits["test"].labels).max() < 4
    assert {row["class_name"] for row in counts if row["class_name"]} == {"n03", "cat", "dog"}
    assert [row["count"] for row in counts if row["statistic"] == "converted"] == [6]

    archive = tmp_path / "resources/tiny-imagenet-200.zip"
    archive.parent.mkdir(parents=True)
    with zipfile.ZipFile(archive, "w") as zipped:
        for path in sorted((tmp_path / "tiny-imagenet-200").rglob("*")):
            zipped.write(path, path.relative_to(tmp_path))
    md5 = hashlib.md5(archive.read_bytes()).hexdigest()
    monkeypatch.setitem(tiny_imagenet.DOWNLOADS, archive.name, ("https://example.org", md5))
    for name, split in load_splits("tiny-imagenet", tmp_path / "resources").items():
        np.testing.assert_array_equal(split.images, splits[name].images)
        np.testing.assert_array_equal(split.labels, splits[name].labels)


@pytest.mark.parametrize("line, named", [("val_0.JPEG\tn77\t0", "'n77'"), ("val_0.JPEG", "''")])
def test_tiny_imagenet_of_an_unknown_class_is_refused(tmp_path, line, named):
    write_tiny_imagenet(tmp_path / "tiny")
    (tmp_path / "tiny/val/val_annotations.txt").write_text(line)
    with pytest.raises(UserError, match=f"val_0.JPEG is of class {named}.* wnids.txt"):
        load_splits(f"tiny-imagenet:{tmp_path / 'tiny'}")


def test_texts_in_another_encoding_are_named(tmp_path):
    write_tiny_imagenet(tmp_path / "tiny")
    write_imagenet(tmp_path / "large", flat=True)
    truth = next((tmp_path / "large").rglob("*ground_truth.txt"))
    for path, source in ((tmp_path / "tiny/words.txt", "tiny-imagenet:tiny"), (truth, "imagenet:large")):
        path.write_text(path.read_text(), encoding="utf-16")
        kind, place = source.split(":")
        with pytest.raises(UserError, match=f"{path.name}: not a text in UTF-8"):
            load_splits(f"{kind}:{tmp_path / place}", size_px=16)


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
    with pytest.raises(UserError, match=r"data_batch_3 .*missing"):
        load_splits(f"cifar10:{tmp_path / 'cifar'}")


def test_facts_are_those_of_torchvision():
    from torchvision import datasets as theirs

    facts = catalog.downloads()
    for ours, kind in ((cifar10, theirs.CIFAR10), (cifar100, theirs.CIFAR100)):
        assert facts[kind.filename] == (kind.url, kind.tgz_md5)
        members = {name for name, _ in [*kind.train_list, *kind.test_list]} | {kind.meta["filename"]}
        assert set(ours.MEMBERS) == members
    assert facts[theirs.STL10.filename] == (theirs.STL10.url, theirs.STL10.tgz_md5)
    for split in ("train", "test"):
        url, name, md5 = theirs.SVHN.split_list[split]
        assert facts[name] == (url, md5)
    for name, md5 in theirs.FashionMNIST.resources:
        assert facts[name] == (theirs.FashionMNIST.mirrors[0] + name, md5)
