"""Small data sets as their authors publish them: fetched archives, or unpacked copies of one's own.

An archive is read without unpacking it, so nothing of it is ever written to disk; CIFAR's pickles are read by an
unpickler that knows arrays only.
"""

import gzip
import io
import pickle
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import numpy as np

from selfdoubt.data import downloads as net
from selfdoubt.data.sources import folders
from selfdoubt.data.sources.raw import Encoded, Pool, Raw
from selfdoubt.runtime.errors import UserError
from selfdoubt.settings import published

Read = Callable[[str], bytes]  # a member's content by its name
_FASHION_CLASSES = [
    "T-shirt",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
]


def fashion_mnist(place: str, resources: Path) -> Raw:
    """Read the 60,000 and 10,000 images of Xiao, Rasul & Vollgraf (2017)."""
    read, pools = _members("fashion-mnist", place, resources), {}
    for split, prefix in {"train": "train", "test": "t10k"}.items():
        images, labels = (
            _read_whole(read, f"{prefix}-{what}-ubyte.gz", read_idx) for what in ("images-idx3", "labels-idx1")
        )
        pools[split] = Pool(images[:, None], labels.astype(np.int64))
    return Raw(pools, _FASHION_CLASSES)


def cifar10(place: str, resources: Path) -> Raw:
    """Read the 50,000 and 10,000 images of Krizhevsky (2009)."""
    return _cifar("cifar10", place, resources, b"labels", "batches.meta", b"label_names")


def cifar100(place: str, resources: Path) -> Raw:
    """Read CIFAR-100 with its 100 fine labels."""
    return _cifar("cifar100", place, resources, b"fine_labels", "meta", b"fine_label_names")


def svhn(place: str, resources: Path) -> Raw:
    """Read the 73,257 and 26,032 cropped house numbers of Netzer et al. (2011); their label 10 is the digit 0."""
    from scipy.io import loadmat

    read, pools = _members("svhn", place, resources), {}
    for split in ("train", "test"):
        found = _read_whole(read, f"{split}_32x32.mat", lambda content: loadmat(io.BytesIO(content)))
        images = np.ascontiguousarray(found["X"].transpose(3, 2, 0, 1))  # from (H, W, C, n)
        pools[split] = Pool(images, found["y"].ravel().astype(np.int64) % 10)
    return Raw(pools, [str(digit) for digit in range(10)])


def stl10(place: str, resources: Path) -> Raw:
    """Read the 5,000 and 8,000 labelled images, 96 x 96, of Coates, Lee & Ng (2011)."""
    read, pools = _members("stl10", place, resources), {}
    for split in ("train", "test"):
        images = np.frombuffer(read(f"{split}_X.bin"), np.uint8).reshape(-1, 3, 96, 96)  # columns before rows
        labels = np.frombuffer(read(f"{split}_y.bin"), np.uint8).astype(np.int64) - 1
        pools[split] = Pool(np.ascontiguousarray(images.transpose(0, 1, 3, 2)), labels)
    return Raw(pools, read("class_names.txt").decode().split())


def tiny_imagenet(place: str, resources: Path) -> Raw:
    """List the 100,000 images of Tiny ImageNet; its official val is test here, since its test has no labels."""
    read, names = _tiny_imagenet_files(place, resources)
    wnids = read("wnids.txt").decode().split()
    words = dict(line.split("\t", 1) for line in read("words.txt").decode().splitlines() if "\t" in line)
    annotations = read("val/val_annotations.txt").decode().splitlines()
    truth = {f"val/images/{file}": wnid for file, wnid, *_ in (f"{line}\t".split("\t") for line in annotations)}
    truth |= {name: name.split("/")[1] for name in names if name.startswith("train/") and name.endswith(".JPEG")}
    label_of = {wnid: label for label, wnid in enumerate(wnids)}
    if strange := sorted(name for name, wnid in truth.items() if wnid not in label_of):
        found = f"{strange[0]} is of class '{truth[strange[0]]}', which is none of wnids.txt"
        raise UserError(f"{_tiny_imagenet_source(place)}: {found}; unpack or fetch it again")
    pools = {}
    for split, folder in {"train": "train/", "test": "val/"}.items():
        chosen = sorted(name for name in truth if name.startswith(folder))
        labels = np.array([label_of[truth[name]] for name in chosen], np.int64)
        pools[split] = Pool(Encoded(lambda i, chosen=chosen: read(chosen[i]), chosen), labels)
    return Raw(pools, [words.get(wnid, wnid) for wnid in wnids])


def read_idx(content: bytes) -> np.ndarray:
    """Read a gzipped idx file of unsigned bytes: images (n, 28, 28) or labels (n,).

    Format: two zero bytes, type 8, number of axes, then each axis as a big-endian int32, then the bytes.
    Raises EOFError, OSError, IndexError, ValueError or zlib.error if it is not a whole one.
    """
    raw = gzip.decompress(content)
    if raw[:3] != b"\0\0\x08":
        raise ValueError("not an idx file of unsigned bytes")
    n_axes = raw[3]
    shape = tuple(np.frombuffer(raw, ">i4", count=n_axes, offset=4))
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * n_axes).reshape(shape)


def _cifar(kind: str, place: str, resources: Path, label_key: bytes, meta: str, names_key: bytes) -> Raw:
    read, pools = _members(kind, place, resources), {}
    for split in ("train", "test"):
        members = [name for name in published.PUBLISHED[kind].members if name != meta]
        batches = [_read_whole(read, name, load_arrays) for name in members if ("test" in name) == (split == "test")]
        images = np.concatenate([np.asarray(batch[b"data"], np.uint8) for batch in batches]).reshape(-1, 3, 32, 32)
        pools[split] = Pool(images, np.concatenate([batch[label_key] for batch in batches]).astype(np.int64))
    names = _read_whole(read, meta, load_arrays)[names_key]
    return Raw(pools, [name.decode() for name in names])


class _ArraysOnly(pickle.Unpickler):
    """A pickle may name any function to call; CIFAR's name those that make arrays, and no other is let in."""

    _ALLOWED = frozenset({"_reconstruct", "_frombuffer", "ndarray", "dtype", "encode"})
    _MODULES = frozenset({"numpy", "numpy.core.multiarray", "numpy._core.multiarray", "numpy._core.numeric", "_codecs"})

    def find_class(self, module: str, name: str):
        if module in self._MODULES and name in self._ALLOWED:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"it names {module}.{name}, which is no array")


def load_arrays(content: bytes):
    """Unpickle containers, numbers, texts and arrays; raises pickle.UnpicklingError at anything else."""
    return _ArraysOnly(io.BytesIO(content), encoding="bytes").load()


# ---- members ----


def _members(kind: str, place: str, resources: Path) -> Read:
    """Return a function that reads a published file, from a copy of one's own or from what was fetched."""
    source = f"{kind}:{place}" if place else kind
    paths = [Path(path) for path in published.files_of(source, resources)]
    if not place:
        _check(paths)
    if len(paths) == 1 and paths[0].name.endswith(".tar.gz"):
        members = _untar(paths[0], published.PUBLISHED[kind].members)
        return members.__getitem__
    by_name = {path.name: path for path in paths}
    return lambda name: by_name[name].read_bytes()


def _check(paths: list[Path]) -> None:
    for path in paths:
        if path.name in published.DOWNLOADS and path.parent != published.DEBIAN_FASHION_MNIST:
            net.check(path, published.DOWNLOADS[path.name][1])


def _untar(path: Path, wanted: tuple[str, ...]) -> dict[str, bytes]:
    """Return the wanted members of an archive by the last part of their names."""
    found = {}
    with tarfile.open(path) as archive:
        for member in archive:
            name = PurePosixPath(member.name).name
            if member.isfile() and name in wanted:
                found[name] = archive.extractfile(member).read()
    if missing := [name for name in wanted if name not in found]:
        raise UserError(f"{path}: holds no {missing[0]}; delete it and fetch it again")
    return found


def _tiny_imagenet_files(place: str, resources: Path) -> tuple[Read, list[str]]:
    """Return a function that reads a file of Tiny ImageNet by its name below tiny-imagenet-200, and all names.

    It reads those names alone: the annotations may hold any.
    """
    source = _tiny_imagenet_source(place)
    paths = [Path(path) for path in published.files_of(source, resources)]
    if place:
        root, others = Path(place).expanduser(), []
        names = [*folders.list_images(root, root, others), *others]
        return _only(names, lambda name: (root / name).read_bytes(), place), names
    _check(paths)
    archive = zipfile.ZipFile(paths[0])  # stays open: images are read as they are decoded
    prefix = "tiny-imagenet-200/"
    names = [name.removeprefix(prefix) for name in archive.namelist() if name.startswith(prefix)]
    return _only(names, lambda name: archive.read(prefix + name), str(paths[0])), names


def _tiny_imagenet_source(place: str) -> str:
    return f"tiny-imagenet:{place}" if place else "tiny-imagenet"


def _only(names: list[str], read: Read, place: str) -> Read:
    """Return `read` for some names; it raises UserError at any other."""
    known = frozenset(names)

    def read_known(name: str) -> bytes:
        if name not in known:
            raise UserError(f"{place}: {name} is named there and is not among its files; unpack or fetch it again")
        return read(name)

    return read_known


def _read_whole(read: Read, name: str, parse: Callable):
    try:
        return parse(read(name))
    except (EOFError, OSError, IndexError, KeyError, ValueError, zlib.error, pickle.UnpicklingError) as error:
        raise UserError(f"{name}: not a whole file as published ({error}); fetch it again") from None
