"""Corrupted test sets as published, and re-collected ones, from small files in their formats."""

import numpy as np
import pytest
from PIL import Image
from small_data import some_images

from selfdoubt.data import shifted
from selfdoubt.data.datasets import Split
from selfdoubt.runtime import cli
from selfdoubt.runtime.errors import UserError

CLASSES = ["cat", "dog"]
LIKE = Split(np.zeros((4, 3, 8, 8), np.uint8), np.arange(4) % 2, np.arange(4, dtype=np.int32))


def settings(source: str, **other):
    known = {"source": source, "name": "gaussian-noise", "severities": [1, 5], "n_images": None, "max_gb": 4.0}
    return cli.Settings(**known | other)


@pytest.fixture
def cifar_c(tmp_path):
    """Five severities of six images; red is the severity, green the image."""
    images = np.zeros((30, 32, 32, 3), np.uint8)
    images[..., 0] = np.repeat(np.arange(1, 6) * 10, 6)[:, None, None]
    images[..., 1] = np.tile(np.arange(6), 5)[:, None, None]
    np.save(tmp_path / "gaussian_noise.npy", images)
    np.save(tmp_path / "labels.npy", np.tile(np.arange(6) % 2, 5).astype(np.uint8))
    return tmp_path


def test_cifar_c_is_read_by_severity(cifar_c):
    found = shifted.corrupted(settings(f"cifar-c:{cifar_c}"), LIKE, CLASSES)
    assert list(found) == ["gaussian-noise-1", "gaussian-noise-5"]
    for severity, split in zip((1, 5), found.values(), strict=True):
        assert split.images.shape == (6, 3, 8, 8)
        assert (split.images[:, 0] == 10 * severity).all()
        assert split.images[:, 1, 0, 0].tolist() == split.image_ids.tolist() == list(range(6))
        assert split.labels.tolist() == [0, 1] * 3 and split.labels.dtype == np.int64


def test_some_images_are_the_same_of_every_corruption(cifar_c):
    np.save(cifar_c / "fog.npy", np.load(cifar_c / "gaussian_noise.npy"))
    both = [
        shifted.corrupted(settings(f"cifar-c:{cifar_c}", name=n, n_images=4), LIKE, CLASSES)
        for n in ("gaussian-noise", "fog")
    ]
    ids = [split.image_ids.tolist() for found in both for split in found.values()]
    assert len(ids) == 4 and len(ids[0]) == 4 and all(each == ids[0] for each in ids)


def test_files_that_are_not_cifar_c_are_refused(cifar_c):
    for wrong, message in (
        (np.zeros((30, 32, 32, 4), np.uint8), "images are uint8"),
        (np.zeros((29, 32, 32, 3), np.uint8), "29 images and 30"),
    ):
        np.save(cifar_c / "gaussian_noise.npy", wrong)
        with pytest.raises(UserError, match=rf"gaussian_noise\.npy: {message}"):
            shifted.corrupted(settings(f"cifar-c:{cifar_c}"), LIKE, CLASSES)
    (cifar_c / "gaussian_noise.npy").write_bytes(b"no")
    with pytest.raises(UserError, match=r"gaussian_noise\.npy.*fetch it again"):
        shifted.corrupted(settings(f"cifar-c:{cifar_c}"), LIKE, CLASSES)


def test_an_array_of_objects_is_not_unpickled(cifar_c):
    np.save(cifar_c / "labels.npy", np.array([{}] * 30, object))
    with pytest.raises(UserError, match=r"labels\.npy.*Python objects"):
        shifted.corrupted(settings(f"cifar-c:{cifar_c}"), LIKE, CLASSES)


@pytest.mark.parametrize("labels", [np.arange(30) % 2 + 0.7, np.zeros((30, 1), int), np.array(["a"] * 30), np.array(1)])
def test_labels_that_are_no_list_of_integers_are_refused(cifar_c, labels):
    np.save(cifar_c / "labels.npy", labels)
    with pytest.raises(UserError, match=r"labels\.npy: labels are .*, expected integers"):
        shifted.corrupted(settings(f"cifar-c:{cifar_c}"), LIKE, CLASSES)


def test_labels_of_another_data_set_are_refused(cifar_c):
    np.save(cifar_c / "labels.npy", np.full(30, 2))
    with pytest.raises(UserError, match="labels are not 0 to 1"):
        shifted.corrupted(settings(f"cifar-c:{cifar_c}"), LIKE, CLASSES)


def test_imagenet_c_is_read_by_folder(tmp_path):
    for severity in (1, 5):
        for label, name in enumerate(CLASSES):
            folder = tmp_path / "gaussian_noise" / str(severity) / name
            folder.mkdir(parents=True)
            for i in range(3):
                Image.new("RGB", (20, 20), (40 * severity, 100 * label, 0)).save(folder / f"{i}.JPEG", quality=95)
    found = shifted.corrupted(settings(f"imagenet-c:{tmp_path}"), LIKE, CLASSES)
    for severity, split in zip((1, 5), found.values(), strict=True):
        assert np.abs(split.images[:, 0] - 40.0 * severity).max() < 4
        assert np.abs(split.images[:, 1, 0, 0] - 100.0 * split.labels).max() < 4
    with pytest.raises(UserError, match="dog: a class absent"):
        shifted.corrupted(settings(f"imagenet-c:{tmp_path}"), LIKE, ["cat", "fox"])


def test_recollected_sets_are_read_as_published(tmp_path):
    images, labels = some_images(6, 32, 3, 2)
    last = images.transpose(0, 2, 3, 1)
    np.save(tmp_path / "cifar10.1_v6_data.npy", last)
    np.save(tmp_path / "cifar10.1_v6_labels.npy", labels)
    np.savez(tmp_path / "cifar102_test.npz", images=last, labels=labels)
    like = Split(images, labels, np.arange(6, dtype=np.int32))
    for name in ("cifar10.1_v6_data.npy", "cifar102_test.npz"):
        found = shifted.recollected(settings(f"numpy:{tmp_path / name}"), like, CLASSES)
        np.testing.assert_array_equal(found.images, images)
        np.testing.assert_array_equal(found.labels, labels)


def test_published_images_that_take_more_memory_than_allowed_are_refused(cifar_c):
    with pytest.raises(UserError, match="max_gb is 1e-06; set n_images"):
        shifted.corrupted(settings(f"cifar-c:{cifar_c}", max_gb=1e-6), LIKE, CLASSES)
