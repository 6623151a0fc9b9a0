"""A digest of what a split holds: equal images with equal labels have it in common, however they were stored."""

import hashlib

import numpy as np

from selfdoubt.data.datasets import Split
from selfdoubt.data.image_files import ImageFiles


def digest(split: Split) -> str:
    """Return the SHA-256 of all image ids, then all labels, then all pixels; of images in files, their names instead.

    Ids are little-endian int32, labels int8, or int16 where there are more than 128 classes, pixels uint8 in the order
    image, channel, row, column; names are separated by a zero byte.
    """
    found = hashlib.sha256(split.image_ids.astype("<i4").tobytes())
    narrow = split.labels.max(initial=0) <= np.iinfo("i1").max
    found.update(split.labels.astype("<i1" if narrow else "<i2").tobytes())
    if isinstance(split.images, ImageFiles):
        found.update("\0".join(split.images.names).encode())
    else:
        found.update(np.ascontiguousarray(split.images))
    return found.hexdigest()


def row(dataset: str, name: str, split: Split) -> dict:
    """Return a row of DATA about one split."""
    of = "names" if isinstance(split.images, ImageFiles) else "pixels"
    return {"dataset": dataset, "split": name, "n": len(split.labels), "sha256": digest(split), "of": of}
