"""Image files in class folders: listed, labelled, and none of them behind a link out of their root."""

import os
from pathlib import Path

import numpy as np

from selfdoubt.data.image_files import check_inside
from selfdoubt.data.raw import Encoded, Pool
from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.source_files import IMAGE_SUFFIXES

_MASKS = "masks"


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
            found = names if path.suffix.lower() in IMAGE_SUFFIXES and name[0] != "." else ignored
            found.append(str(path.relative_to(root)))
    return sorted(names)


def check_link(path: Path, root: Path) -> None:
    """Raise UserError if a path below root is a link that leads out of it, or back to a folder that it is in."""
    if path == root or not path.is_symlink():  # the root itself may be one
        return
    check_inside(path, root)
    if path.parent.resolve().is_relative_to(path.resolve()):
        raise UserError(f"{path}: a link that leads back to a folder that it is in; remove it")


def classes(root: Path, below: Path, ignored: list[str]) -> dict[str, list[str]]:
    """Return the images of each class folder in `below`; without class folders, its own images under its name.

    Names are below root; files that are no images go to `ignored`. Raises UserError at a class without images.
    """
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


def pool(root: Path, listed: dict[str, list[str]], class_names: list[str], place: Path) -> Pool:
    """Return listed images with their labels, and with masks where the root has some.

    class_names: of the training split. place: the split's folder, for the UserError about a class that is not in it.
    """
    if absent := [name for name in listed if name not in class_names]:
        found = "a class absent from the training split"
        raise UserError(f"{place / absent[0]}: {found}; add it there, or remove this folder")
    names = [name for images in listed.values() for name in images]
    labels = [class_names.index(name) for name, images in listed.items() for _ in images]
    masks = _masks(root, names) if (root / _MASKS).is_dir() else None
    return Pool(encoded(root, names), np.array(labels, np.int64), masks=masks)


def encoded(root: Path, names: list[str]) -> Encoded:
    """Return image files, by name below root, as their bytes."""
    return Encoded(lambda i: (root / names[i]).read_bytes(), names, root)


def _masks(root: Path, names: list[str]) -> Encoded:
    check_link(root / _MASKS, root)
    list_images(root, root / _MASKS, [])  # raises UserError at a link that leads out
    found = [str(Path(_MASKS) / Path(name).with_suffix(".png")) for name in names]
    for mask, name in zip(found, names, strict=True):
        if not (root / mask).is_file():
            raise UserError(f"{root / mask}: the mask of {name} is missing; add it, or remove {root / _MASKS}")
    return encoded(root, found)
