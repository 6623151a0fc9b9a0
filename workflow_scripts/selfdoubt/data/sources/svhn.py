"""SVHN (Netzer et al. 2011), from its MATLAB files; their label 10 is the digit 0."""

import io

import numpy as np

from selfdoubt.data import archives
from selfdoubt.data.raw import Pool, Raw
from selfdoubt.settings.source_files import Folders
from selfdoubt.settings.sources import svhn as facts


def find(place: str, folders: Folders) -> Raw:
    """Read the images and labels of both official splits."""
    from scipy.io import loadmat

    read, pools = archives.members(facts, place, folders), {}
    for split in ("train", "test"):
        found = archives.parsed(read, f"{split}_32x32.mat", lambda content: loadmat(io.BytesIO(content)))
        images = np.ascontiguousarray(found["X"].transpose(3, 2, 0, 1))  # from (H, W, C, n)
        pools[split] = Pool(images, found["y"].ravel().astype(np.int64) % 10)
    return Raw(pools, [str(digit) for digit in range(10)])
