"""Fashion-MNIST (Xiao, Rasul & Vollgraf 2017), from its gzipped idx files."""

import gzip

import numpy as np

from selfdoubt.data import archives
from selfdoubt.data.raw import Pool, Raw
from selfdoubt.settings.source_files import Folders
from selfdoubt.settings.sources import fashion_mnist as facts

CLASSES = ["T-shirt", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]
_FILES = {"train": "train", "test": "t10k"}


def find(place: str, folders: Folders) -> Raw:
    """Read the images and labels of both official splits."""
    read, pools = archives.members(facts, place, folders), {}
    for split, prefix in _FILES.items():
        images = archives.parsed(read, f"{prefix}-images-idx3-ubyte.gz", read_idx)
        labels = archives.parsed(read, f"{prefix}-labels-idx1-ubyte.gz", read_idx)
        pools[split] = Pool(images[:, None], labels.astype(np.int64))
    return Raw(pools, CLASSES)


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
