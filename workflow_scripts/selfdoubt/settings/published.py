"""Published data sets: their files, addresses and checksums, and which files a `source` of the config is made of.

Addresses and checksums are those of torchvision 0.29 (a test compares them), Tiny ImageNet's those of its page.
Rules import this module, so it imports nothing heavy, opens no file and lists no more than folders.
"""

import difflib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from selfdoubt.runtime.errors import UserError

DEBIAN_FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")  # of the package dataset-fashion-mnist
COMPOSED_OF = {"fashion-scenes": "fashion-mnist-12k"}  # made when prepared
EMBEDDED_SPLITS = ("train.parquet", "val.parquet", "test.parquet")
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm")


@dataclass(frozen=True)
class Published:
    """A data set on the net: what is fetched, and what an unpacked copy holds."""

    downloads: dict[str, tuple[str, str]]  # file name -> address, md5
    members: tuple[str, ...]  # below the folder of an unpacked copy


_CIFAR = "https://www.cs.toronto.edu/~kriz/"
_FASHION = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"
_FASHION_MD5 = {
    "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
    "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
    "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
}
_SVHN = "http://ufldl.stanford.edu/housenumbers/"
_SVHN_MD5 = {
    "train_32x32.mat": "e26dedcc434d2e4c54c9b2d4a06d8373",
    "test_32x32.mat": "eb5a983be6a315427106f1b164d9cef3",
}

PUBLISHED = {
    "fashion-mnist": Published({n: (_FASHION + n, md5) for n, md5 in _FASHION_MD5.items()}, tuple(_FASHION_MD5)),
    "cifar10": Published(
        {"cifar-10-python.tar.gz": (f"{_CIFAR}cifar-10-python.tar.gz", "c58f30108f718f92721af3b95e74349a")},
        (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch", "batches.meta"),
    ),
    "cifar100": Published(
        {"cifar-100-python.tar.gz": (f"{_CIFAR}cifar-100-python.tar.gz", "eb9058c3a382ffc7106e4002c42a8d85")},
        ("train", "test", "meta"),
    ),
    "svhn": Published({n: (_SVHN + n, md5) for n, md5 in _SVHN_MD5.items()}, tuple(_SVHN_MD5)),
    "stl10": Published(
        {
            "stl10_binary.tar.gz": (
                "http://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz",
                "91f7769df0f17e558f3565bffb0c7dfb",
            )
        },
        ("train_X.bin", "train_y.bin", "test_X.bin", "test_y.bin", "class_names.txt"),
    ),
    "tiny-imagenet": Published(
        {
            "tiny-imagenet-200.zip": (
                "http://cs231n.stanford.edu/tiny-imagenet-200.zip",
                "90528d7ca1a48142e341f4ef8d21d0de",
            )
        },
        ("wnids.txt", "words.txt", "val/val_annotations.txt"),
    ),
}
DOWNLOADS = {name: facts for each in PUBLISHED.values() for name, facts in each.downloads.items()}
BY_PATH = ("imagenet", "folder", "parquet")  # the path of one's own copy is needed
KINDS = ("embedded", *PUBLISHED, *BY_PATH)


def place_of(source: str, embedded: Path, fetched: Path) -> Path:
    """Return the folder of the files that a source is made of, unless the source names it itself."""
    return embedded if source.startswith("embedded:") else fetched


def sources_of(source: str, place: Path) -> list[Path]:
    """Return the files and folders that a source is made of, which may change; none of what comes with the code."""
    return [] if source.startswith(("embedded:", "sklearn:")) else list(map(Path, files_of(source, place)))


@cache
def files_of(source: str, resources: Path) -> tuple[str, ...]:
    """Return the files, and for class folders the folders, that a source is made of.

    source: as in the config. resources: as `place_of` chooses it. What is fetched need not be there yet, everything
    else must be.
    Raises UserError, without the config's key, if something is missing.
    """
    kind, _, place = source.partition(":")
    if kind == "embedded":
        return _as_inputs(_embedded(place, resources))
    if kind in PUBLISHED:
        return _as_inputs(_published(kind, place, resources))
    return _as_inputs(FILES_BY_PATH[kind](Path(place).expanduser()))


def shifted_files(source: str, name: str = "") -> tuple[str, ...]:
    """Return what a corruption as published, or a re-collected test set, is made of; raises UserError if missing.

    source: "cifar-c:PATH", "imagenet-c:PATH" or "numpy:PATH". name: of the corruption, as in the config.
    """
    kind, _, place = source.partition(":")
    root, folder = Path(place).expanduser(), name.replace("-", "_")
    if kind == "cifar-c":
        paths = _there([root / f"{folder}.npy", root / "labels.npy"], "put the published files there")
    elif kind == "imagenet-c":
        paths = _there([root / folder], "unpack the published archive there", folder=True)
        paths += [inner for severity in _folders(paths[0]) for inner in [severity, *_folders(severity)]]
    else:
        paths = _there(sorted(set(numpy_files(root))), "put the published file there")
    return _as_inputs(paths)


def numpy_files(path: Path) -> tuple[Path, Path]:
    """Return the files of images and of labels of a re-collected test set."""
    if path.suffix == ".npz":
        return path, path
    return path, path.with_name(path.name.replace("data", "labels"))


def _as_inputs(paths: list[Path]) -> tuple[str, ...]:
    """Return paths as texts; raises UserError at one that Snakemake would take for a pattern."""
    for path in paths:
        if "{" in str(path) or "}" in str(path):
            raise UserError(f"{path}: a path cannot have braces, which mean wildcards here; rename it")
    return tuple(map(str, paths))


def _embedded(name: str, resources: Path) -> list[Path]:
    folder = resources / COMPOSED_OF.get(name, name)
    known = sorted([*COMPOSED_OF, *(path.parent.name for path in resources.glob(f"*/{EMBEDDED_SPLITS[0]}"))])
    if not folder.is_dir():
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean '{near[0]}'? " if near else ""
        raise UserError(f"'{name}' is not an embedded data set; {hint}There are: {', '.join(known) or 'none'}")
    return _there([folder / split for split in EMBEDDED_SPLITS], "restore it by git checkout")


def _published(kind: str, place: str, downloads: Path) -> list[Path]:
    published = PUBLISHED[kind]
    if place:
        folder = Path(place).expanduser()
        return _there([folder / name for name in published.members], f"put {kind}'s files there")
    debian = [DEBIAN_FASHION_MNIST / name for name in published.members]
    if kind == "fashion-mnist" and all(path.is_file() for path in debian):
        return debian
    return [downloads / name for name in published.downloads]


def _folder(root: Path) -> list[Path]:
    """Return the root and its folders down to those of the classes; a change of any changes what is listed."""
    _there([root], "give a folder of class folders", folder=True)
    below = _folders(root)
    return [root, *below, *(inner for folder in below for inner in _folders(folder))]


def _imagenet(root: Path) -> list[Path]:
    _there([root / "train", root / "val"], "unpack ILSVRC 2012's train and val there", folder=True)
    return _folder(root)


def _parquet(place: Path) -> list[Path]:
    found = sorted(place.rglob("*.parquet")) if place.is_dir() else [place]
    if not found or not all(path.is_file() for path in found):
        raise UserError(f"{place}: no such file, or no *.parquet in it; give a Parquet file or a folder of them")
    return found


FILES_BY_PATH = {"folder": _folder, "imagenet": _imagenet, "parquet": _parquet}


def _there(paths: list[Path], remedy: str, folder: bool = False) -> list[Path]:
    for path in paths:
        if not (path.is_dir() if folder else path.is_file()):
            raise UserError(f"{path} is missing; {remedy}")
    return paths


def _folders(path: Path) -> list[Path]:
    return sorted(each for each in path.iterdir() if each.is_dir() and not each.name.startswith("."))
