"""Links in data from elsewhere: those that lead out of the folder that the config names are refused."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from small_data import load, load_ood, load_splits, write_folder, write_imagenet, write_tiny_imagenet

from selfdoubt.data import shifted
from selfdoubt.data.datasets import Split
from selfdoubt.runtime.errors import UserError


@pytest.fixture
def photos(tmp_path) -> Path:
    """A folder data set, beside pictures that are not of it."""
    write_folder(tmp_path / "photos")
    write_folder(tmp_path / "secrets", classes=("bee",))
    return tmp_path / "photos"


def refused(photos: Path, fault: str) -> None:
    for source in (f"folder:{photos}", f"folder:{photos}/"):
        with pytest.raises(UserError, match=fault):
            load(source, size_px=16)


def test_a_folder_below_a_class_or_a_split_that_is_a_link_out_of_the_root(photos):
    (photos / "bee/more").symlink_to(photos.parent / "secrets/bee")
    refused(photos, r"bee/more: a link that leads out of")
    (photos / "bee/more").unlink()
    for name in ("ant", "bee", "cat"):
        (photos / "train" / name).parent.mkdir(exist_ok=True)
        (photos / name).rename(photos / "train" / name)
    shutil.rmtree(photos / "train/bee")
    (photos / "train/bee").symlink_to(photos.parent / "secrets/bee")
    refused(photos, r"train/bee: a link that leads out of")


@pytest.mark.parametrize("storage", ["arrays", "files"])
def test_top_folders_may_be_links_but_lead_no_further(photos, storage):
    shutil.rmtree(photos / "bee")
    (photos / "bee").symlink_to("../secrets/bee")
    splits = load_splits(f"folder:{photos}", size_px=16, storage=storage)
    assert sum(len(split.images[:]) for split in splits.values()) == 30
    (photos / "bee/001.png").unlink()
    (photos / "bee/001.png").symlink_to(photos.parent / "secrets/one.png")
    (photos / "bee/000.jpg").rename(photos.parent / "secrets/one.png")
    refused(photos, r"photos/bee/001\.png: a link that leads out of")


def test_a_top_file_that_is_a_link_out_of_the_root(photos):
    (photos / "ant/one.png").symlink_to("../../secrets/bee/000.jpg")
    with pytest.raises(UserError, match=r"ant/one\.png: a link that leads out of"):
        load_ood(f"folder:{photos / 'ant'}", 3, 8)


def test_the_hubs_cache_links_files_beside_its_snapshots(tmp_path):
    cache = tmp_path / "datasets--me--photos"
    write_folder(cache / "blobs")
    for path in sorted((cache / "blobs").rglob("*.*")):
        link = cache / "snapshots/0123/data" / path.relative_to(cache / "blobs")
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(path)
    assert len(load_splits(f"folder:{cache / 'snapshots/0123/data'}", size_px=16)["test"].labels) == 6


def test_masks_that_are_links_out_of_the_root(photos):
    masks = photos.parent / "masks"
    for name in ("ant", "bee", "cat"):
        (masks / name).mkdir(parents=True)
        for i in range(10):
            Image.fromarray(np.full((30, 20), 255, np.uint8)).save(masks / name / f"{i:03}.png")
    (photos / "masks").symlink_to(masks)
    assert load_splits(f"folder:{photos}", size_px=16)["test"].masks.all()
    (photos / "masks").unlink()
    shutil.copytree(masks, photos / "masks")
    (photos / "masks/ant/000.png").unlink()
    (photos / "masks/ant/000.png").symlink_to(masks / "ant/000.png")
    refused(photos, r"masks/ant/000\.png: a link that leads out of")


def test_a_chain_of_links_out_of_the_root(photos):
    (photos.parent / "secrets/one.png").symlink_to("bee/000.jpg")
    (photos / "ant/a.png").symlink_to("b.png")
    (photos / "ant/b.png").symlink_to("../../secrets/one.png")
    refused(photos, r"ant/[ab]\.png: a link that leads out of")


def test_a_link_in_a_circle_is_refused_and_one_inside_is_not(photos):
    (photos / "ant/000.png").symlink_to("../bee/001.png")
    assert sum(len(split.labels) for split in load_splits(f"folder:{photos}", size_px=16).values()) == 31
    (photos / "ant/again").symlink_to(photos / "ant")
    refused(photos, r"ant/again: a link that leads back")
    (photos / "ant/again").unlink()
    (photos / "ant/self.png").symlink_to("self.png")
    refused(photos, r"ant/self\.png: a link that leads out of")
    (photos / "ant/self.png").unlink()
    (photos / "all").symlink_to(photos.parent)
    refused(photos, r"photos/all: a link that leads back")


def test_flat_images_of_imagenet_and_its_devkit_that_are_links_out_of_the_root(tmp_path):
    secret = tmp_path / "secret"
    secret.mkdir()
    root = tmp_path / "imagenet"
    write_imagenet(root, flat=True)
    for path in (next(root.glob("val/*.JPEG")), next(root.rglob("*ground_truth.txt")), next(root.rglob("meta.mat"))):
        path.rename(secret / path.name)
        path.symlink_to(secret / path.name)
        with pytest.raises(UserError, match=rf"{path.name}: a link that leads out of"):
            load(f"imagenet:{root}", size_px=16)
        path.unlink()
        (secret / path.name).rename(path)
    load(f"imagenet:{root}", size_px=16)


@pytest.mark.parametrize("flat", [True, False])
@pytest.mark.parametrize("storage", ["arrays", "files"])
def test_train_and_val_of_imagenet_may_be_on_another_disk(tmp_path, flat, storage):
    write_imagenet(tmp_path / "imagenet", flat)
    for split in ("train", "val"):
        (tmp_path / "imagenet" / split).rename(tmp_path / f"elsewhere-{split}")
        (tmp_path / "imagenet" / split).symlink_to(tmp_path / f"elsewhere-{split}")
    splits = load_splits(f"imagenet:{tmp_path / 'imagenet'}", size_px=16, storage=storage)
    assert splits["test"].images[:].shape == (4, 3, 16, 16)


@pytest.mark.parametrize("link", ["fog/1", "fog/1/ant"])
def test_folders_of_imagenet_c_that_are_links_out_of_the_root(tmp_path, link):
    write_folder(tmp_path / "c/fog/1")
    (tmp_path / "c" / link).rename(tmp_path / "elsewhere")
    (tmp_path / "c" / link).symlink_to(tmp_path / "elsewhere")
    settings = SimpleNamespace(
        source=f"imagenet-c:{tmp_path / 'c'}", name="fog", severities=[1], n_images=None, max_gb=4.0
    )
    like = Split(np.zeros((1, 3, 16, 16), np.uint8), np.zeros(1, np.int64), np.zeros(1, np.int32))
    with pytest.raises(UserError, match=rf"c/{link}: a link that leads out of"):
        shifted.corrupted(settings, like, ["ant", "bee", "cat"])


@pytest.mark.parametrize("link", ["val/images/val_0.JPEG", "val/images", "train/n01", "wnids.txt"])
def test_links_of_tiny_imagenet_out_of_its_folder(tmp_path, link):
    root = tmp_path / "tiny"
    write_tiny_imagenet(root)
    (root / link).rename(tmp_path / "elsewhere")
    (root / link).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UserError, match=rf"tiny/{link}: a link that leads out of"):
        load(f"tiny-imagenet:{root}")


def test_the_root_itself_may_be_a_link(photos):
    (photos.parent / "here").symlink_to(photos)
    assert set(load_splits(f"folder:{photos.parent / 'here'}", size_px=16)) == {"train", "val", "test"}
