"""STL-10 (Coates, Lee & Ng 2011), its labelled images, from its binary files."""

import numpy as np

from selfdoubt.data import archives
from selfdoubt.data.raw import Pool, Raw
from selfdoubt.runtime import texts
from selfdoubt.settings.source_files import Folders
from selfdoubt.settings.sources import stl10 as facts


def find(place: str, folders: Folders) -> Raw:
    """Read the images and labels of both official splits."""
    read, pools = archives.members(facts, place, folders), {}
    for split in ("train", "test"):
        images = archives.parsed(read, f"{split}_X.bin", _images)
        labels = np.frombuffer(read(f"{split}_y.bin"), np.uint8).astype(np.int64) - 1
        pools[split] = Pool(images, labels)
    return Raw(pools, texts.decode(read("class_names.txt"), f"{place or 'stl10'}: class_names.txt").split())


def _images(content: bytes) -> np.ndarray:
    columns_first = np.frombuffer(content, np.uint8).reshape(-1, 3, 96, 96)
    return np.ascontiguousarray(columns_first.transpose(0, 1, 3, 2))  # (n, 3, H, W)
