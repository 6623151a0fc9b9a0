"""The pickles of CIFAR-10 and CIFAR-100, read by an unpickler that accepts arrays only.

Not torchvision's reader: it unpickles whatever the file names, and unpacks the archive first.
"""

import io
import pickle
from types import ModuleType

import numpy as np

from selfdoubt.data import archives
from selfdoubt.data.raw import Pool, Raw
from selfdoubt.settings.source_files import Folders


def find(facts: ModuleType, place: str, folders: Folders, label_key: bytes, meta: str, names_key: bytes) -> Raw:
    """Read the images and labels of both official splits.

    facts: the data set's module of `settings.sources`. label_key: of the labels in a batch. meta, names_key: the file
    of the class names, and their key in it.
    """
    read, pools = archives.members(facts, place, folders), {}
    for split in ("train", "test"):
        names = [name for name in facts.MEMBERS if name != meta and ("test" in name) == (split == "test")]
        batches = [archives.parsed(read, name, load_arrays) for name in names]
        images = np.concatenate([np.asarray(batch[b"data"], np.uint8) for batch in batches]).reshape(-1, 3, 32, 32)
        pools[split] = Pool(images, np.concatenate([batch[label_key] for batch in batches]).astype(np.int64))
    class_names = archives.parsed(read, meta, load_arrays)[names_key]
    return Raw(pools, [name.decode() for name in class_names])


class _ArraysOnly(pickle.Unpickler):
    """A pickle may name any function to call; CIFAR's name those that make arrays, and no other is let in."""

    _ALLOWED = frozenset({"_reconstruct", "_frombuffer", "ndarray", "dtype", "encode"})
    _MODULES = frozenset({"numpy", "numpy.core.multiarray", "numpy._core.multiarray", "numpy._core.numeric", "_codecs"})

    def find_class(self, module: str, name: str):
        if module in self._MODULES and name in self._ALLOWED:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"it names {module}.{name}, which is no array")


def load_arrays(content: bytes):
    """Unpickle containers, numbers, texts and arrays; raises ValueError at anything else."""
    try:
        return _ArraysOnly(io.BytesIO(content), encoding="bytes").load()
    except pickle.UnpicklingError as error:
        raise ValueError(error) from None
