"""Image files in class folders: listed, labelled, with the masks beside them."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from selfdoubt.data.decoding import IMAGE_SUFFIXES, Undecodable, is_image
from selfdoubt.data.raw import Encoded, Pool
from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.listing import check_link, composed, contents, files_below, unreadable
from selfdoubt.settings.source_files import LABEL_FILES, MASKS

_LAYOUT = "expected are class folders, CLASS/photo.jpg, or such in folders of splits, train/CLASS/photo.jpg"
_N_MAGIC = 12  # bytes by which a file shows what it is


def list_images(root: Path, below: Path, ignored: dict[str, str]) -> list[str]:
    """Return the image files below a folder, by name below root, sorted; others go to `ignored`, with the reason.

    Raises UserError as `settings.listing` does.
    """
    names, others = [], {}
    for path in files_below(below, root, others):
        name = str(path.relative_to(root))
        if _holds_image(path):
            names.append(name)
        else:
            ignored[name] = "not an image"
    ignored |= {str(path.relative_to(root)): reason for path, reason in others.items()}
    return sorted(names)


def ignore_loose(root: Path, below: Path, ignored: dict[str, str]) -> None:
    """Add to `ignored` what lies beside folders of classes or of splits."""
    seen = contents(below)
    loose = [path for path in seen.files if not (below == root and path.name in LABEL_FILES)]
    ignored |= {str(path.relative_to(root)): "beside the class folders" for path in loose}
    ignored |= {str(path.relative_to(root)): reason for path, reason in seen.ignored.items()}


def classes(root: Path, below: Path, ignored: dict[str, str]) -> dict[str, list[str]]:
    """Return the images of each class folder in `below`; without class folders, its own images, under root's name.

    Names are below root; other files go to `ignored`. The names of classes are composed, so that one that is written
    in two forms is one class. Raises UserError at a class without images, or if there are none.
    """
    check_link(below, root)
    folders = [path for path in contents(below).folders if not (below == root and path.name == MASKS)]
    if not folders:
        if not (images := list_images(root, below, ignored)):
            raise UserError(f"{below}: holds no images; {_LAYOUT}")
        return {root.resolve().name: images}
    ignore_loose(root, below, ignored)
    found = {}
    for path in folders:
        if not (images := list_images(root, path, ignored)):
            raise UserError(f"{path}: a class folder without images; add some, or remove it")
        found.setdefault(composed(path.name), []).extend(images)
    return dict(sorted(found.items()))


def pool(root: Path, listed: dict[str, list[str]], class_names: list[str], place: Path) -> Pool:
    """Return listed images with their labels, and with masks where the root has some.

    class_names: of the training split. place: the split's folder, for the UserError about a class that is not in it.
    """
    label_of = {name: label for label, name in enumerate(class_names)}
    if absent := [name for name in listed if name not in label_of]:
        found = "a class absent from the training split"
        raise UserError(f"{place / absent[0]}: {found}; add it there, or remove this folder")
    names = [name for images in listed.values() for name in images]
    labels = [label_of[name] for name, images in listed.items() for _ in images]
    masks = _masks(root, names) if (root / MASKS).is_dir() else None
    return Pool(encoded(root, names), np.array(labels, np.int64), masks=masks)


def encoded(root: Path, names: list[str]) -> Encoded:
    """Return image files, by name below root, as their bytes."""
    return Encoded(lambda i: _content(root / names[i]), names, root)


def _content(path: Path) -> bytes:
    """Return the bytes of an image file; raises Undecodable if it may not be read, so that all such are counted."""
    try:
        return path.read_bytes()
    except PermissionError as error:
        raise Undecodable(str(unreadable(path, error))) from None


def _holds_image(path: Path) -> bool:
    """Return whether a file is one of an image: by its suffix, else by its first bytes."""
    if path.suffix.lower() in IMAGE_SUFFIXES:
        return True
    if not path.is_file():  # a link that leads nowhere
        return False
    with path.open("rb") as file:
        return is_image(file.read(_N_MAGIC))


def _alike(masks: list[str], names: list[str]) -> Iterator[tuple[str, str]]:
    """Yield each image whose mask is that of another one before it, the other first."""
    first = {}
    for mask, name in zip(masks, names, strict=True):
        if (known := first.setdefault(composed(mask), name)) != name:
            yield known, name


def _masks(root: Path, names: list[str]) -> Encoded:
    stored = {composed(name): name for name in list_images(root, root / MASKS, {})}
    wanted = [str(Path(MASKS, name).with_suffix(".png")) for name in names]
    for first, name in _alike(wanted, names):
        raise UserError(f"{root}: {first} and {name} would have the same mask; rename one of them, and its mask")
    for mask, name in zip(wanted, names, strict=True):
        if composed(mask) not in stored:
            raise UserError(f"{root / mask}: the mask of {name} is missing; add it, or remove {root / MASKS}")
    return encoded(root, [stored[composed(mask)] for mask in wanted])
