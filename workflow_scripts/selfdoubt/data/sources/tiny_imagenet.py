"""Tiny ImageNet; its official val is test here, since its test has no labels."""

import zipfile

import numpy as np

from selfdoubt.data import archives, image_folders
from selfdoubt.data.raw import Encoded, Pool, Raw
from selfdoubt.runtime import texts
from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.listing import SPECIAL, path_of
from selfdoubt.settings.source_files import Folders
from selfdoubt.settings.sources import tiny_imagenet as facts

_TOP = "tiny-imagenet-200/"  # the archive's folder


def find(place: str, folders: Folders) -> Raw:
    """List the images of both splits, which stay encoded."""
    read, names = _files(place, folders)
    wnids, words, annotations = (
        texts.decode(read(name), f"{place or 'tiny-imagenet'}: {name}") for name in facts.MEMBERS
    )
    wnids, annotations = wnids.split(), annotations.splitlines()
    words = dict(line.split("\t", 1) for line in words.splitlines() if "\t" in line)
    truth = {f"val/images/{file}": wnid for file, wnid, *_ in (f"{line}\t".split("\t") for line in annotations)}
    truth |= {name: name.split("/")[1] for name in names if name.startswith("train/") and name.endswith(".JPEG")}
    label_of = {wnid: label for label, wnid in enumerate(wnids)}
    if strange := sorted(name for name, wnid in truth.items() if wnid not in label_of):
        found = f"{strange[0]} is of class '{truth[strange[0]]}', which wnids.txt does not list"
        raise UserError(f"{place or 'tiny-imagenet'}: {found}; unpack or fetch it again")
    pools = {}
    for split, folder in {"train": "train/", "test": "val/"}.items():
        chosen = sorted(name for name in truth if name.startswith(folder))
        labels = np.array([label_of[truth[name]] for name in chosen], np.int64)
        pools[split] = Pool(Encoded(lambda i, chosen=chosen: read(chosen[i]), chosen), labels)
    return Raw(pools, [words.get(wnid, wnid) for wnid in wnids])


def _files(place: str, folders: Folders) -> tuple[archives.Read, list[str]]:
    """Return a function that reads a file by its name below tiny-imagenet-200, and all names."""
    paths = facts.files_of(place, folders)
    if place:
        root, others = path_of(place), {}
        names = image_folders.list_images(root, root, others)
        names += [name for name, reason in others.items() if reason != SPECIAL]
        return _only(names, lambda name: (root / name).read_bytes(), place), names
    archives.check(facts, paths, folders)
    archive = zipfile.ZipFile(paths[0])  # stays open: images are read as they are decoded
    names = [name.removeprefix(_TOP) for name in archive.namelist() if name.startswith(_TOP)]
    return _only(names, lambda name: archive.read(_TOP + name), str(paths[0])), names


def _only(names: list[str], read: archives.Read, place: str) -> archives.Read:
    """Return `read` for listed names; it raises UserError at others, since the annotations may hold any path."""
    known = frozenset(names)

    def read_known(name: str) -> bytes:
        if name not in known:
            raise UserError(f"{place}: {name} is annotated but not among its files; unpack or fetch it again")
        return read(name)

    return read_known
