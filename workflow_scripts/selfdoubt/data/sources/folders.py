"""Class folders of image files: one's own, and ILSVRC 2012's.

    ROOT/CLASS/….png                       split by this project
    ROOT/{train,val,test}/CLASS/….png      split already; val and test may be missing
    ROOT/masks/…/….png                     where the object is (any pixel above 0), under the same names

Images may lie in folders below that of their class. Links out of the root are refused.
"""

import os
from pathlib import Path

import numpy as np

from selfdoubt.data.image_files import check_inside
from selfdoubt.data.sources.raw import Encoded, Pool, Raw
from selfdoubt.runtime.errors import UserError
from selfdoubt.settings import published

_SPLITS = ("train", "val", "test")
_MASKS = "masks"
_DEVKIT_LABELS = "ILSVRC2012_validation_ground_truth.txt"


def folder(place: str, resources: Path) -> Raw:
    """List the images of a root of class folders, or of a folder of images, which are then of one class."""
    root = Path(place).expanduser()
    published.files_of(f"folder:{place}", resources)  # is it there?
    ready = [split for split in _SPLITS if (root / split).is_dir()] if (root / "train").is_dir() else []
    ignored = []
    listed = {split: _classes(root, root / split, ignored) for split in ready} or {
        "train": _classes(root, root, ignored)
    }
    class_names = list(listed["train"])
    pools = {split: _pool(root, found, class_names, root / split) for split, found in listed.items()}
    return Raw(pools, class_names, ignored)


def imagenet(place: str, resources: Path) -> Raw:
    """List ILSVRC 2012: its train folders; its official val, sorted into folders or flat with the devkit, as test.

    Raises UserError where a flat val has no devkit beside it that tells its labels.
    """
    root = Path(place).expanduser()
    published.files_of(f"imagenet:{place}", resources)
    ignored = []
    train = _classes(root, root / "train", ignored)
    class_names = list(train)
    check_link(root / "val", root)
    flat = sorted((root / "val").glob("ILSVRC2012_val_*.JPEG"))
    official = _by_devkit(root, flat) if flat else _classes(root, root / "val", ignored)
    pools = {"train": _pool(root, train, class_names, root / "train")}
    pools["test"] = _pool(root, official, class_names, root / "val")
    return Raw(pools, class_names, ignored)


def list_images(root: Path, below: Path, ignored: list[str]) -> list[str]:
    """Return the image files below a folder, by name below root, sorted; other files go to `ignored`."""
    names = []
    check_link(below, root)
    for place, folders, files in os.walk(below, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in [*folders, *files]:
            check_link(Path(place) / name, root)
        for name in files:
            path = Path(place) / name
            found = names if path.suffix.lower() in published.IMAGE_SUFFIXES and name[0] != "." else ignored
            found.append(str(path.relative_to(root)))
    return sorted(names)


def check_link(path: Path, root: Path) -> None:
    """Raise UserError if a path below root is a link that leads out of it, or back to where it is."""
    if path == root or not path.is_symlink():  # the root itself may be one
        return
    check_inside(path, root)
    if path.parent.resolve().is_relative_to(path.resolve()):
        raise UserError(f"{path}: a link that leads back to a folder that it is in; remove it")


def _classes(root: Path, below: Path, ignored: list[str]) -> dict[str, list[str]]:
    """Return the images of each class folder; of a folder that holds none, but images, its own."""
    check_link(below, root)
    folders = sorted(path for path in below.iterdir() if path.is_dir() and not path.name.startswith("."))
    folders = [path for path in folders if not (below == root and path.name == _MASKS)]
    if not folders:
        return {below.name: list_images(root, below, ignored)}
    ignored += [str(path.relative_to(root)) for path in sorted(below.iterdir()) if path.is_file()]
    found = {path.name: list_images(root, path, ignored) for path in folders}
    for name, images in found.items():
        if not images:
            raise UserError(f"{below / name}: a class folder without images; add some, or remove it")
    return found


def _pool(root: Path, listed: dict[str, list[str]], class_names: list[str], place: Path) -> Pool:
    if strangers := [name for name in listed if name not in class_names]:
        raise UserError(f"{place / strangers[0]}: a class that train has not; add it there, or remove it")
    names = [name for images in listed.values() for name in images]
    labels = [class_names.index(name) for name, images in listed.items() for _ in images]
    masks = _masks(root, names) if (root / _MASKS).is_dir() else None
    return Pool(_encoded(root, names), np.array(labels, np.int64), masks=masks)


def _masks(root: Path, names: list[str]) -> Encoded:
    check_link(root / _MASKS, root)
    list_images(root, root / _MASKS, [])  # for its links
    found = [str(Path(_MASKS) / Path(name).with_suffix(".png")) for name in names]
    for mask, name in zip(found, names, strict=True):
        if not (root / mask).is_file():
            raise UserError(f"{root / mask}: the mask of {name} is missing; add it, or remove {root / _MASKS}")
    return _encoded(root, found)


def _encoded(root: Path, names: list[str]) -> Encoded:
    return Encoded(lambda i: (root / names[i]).read_bytes(), names, root)


def _by_devkit(root: Path, flat: list[Path]) -> dict[str, list[str]]:
    """Return ILSVRC's flat validation images by class folder, as its development kit tells."""
    from scipy.io import loadmat

    labels = next(iter(root.rglob(_DEVKIT_LABELS)), root / _DEVKIT_LABELS)
    meta = labels.with_name("meta.mat")
    if not (labels.is_file() and meta.is_file()):
        raise UserError(
            f"{root}: val is flat and {_DEVKIT_LABELS} is not there; unpack ILSVRC2012_devkit_t12 beside it"
        )
    for path in (*flat, labels, meta):
        check_link(path, root)
    synsets = loadmat(meta, squeeze_me=True)["synsets"]
    wnids = {int(each["ILSVRC2012_ID"]): str(each["WNID"]) for each in synsets if int(each["num_children"]) == 0}
    truth = [wnids[int(line)] for line in labels.read_text().split()]
    if len(truth) != len(flat):
        raise UserError(f"{root / 'val'}: holds {len(flat)} images, {labels.name} tells {len(truth)}; unpack it again")
    found = {wnid: [] for wnid in sorted(set(truth))}
    for path, wnid in zip(flat, truth, strict=True):
        found[wnid].append(str(path.relative_to(root)))
    return found
