"""Training images divided into parts, each of which some models leave out (cross-fitting)."""

import numpy as np

from selfdoubt.runtime import randomness
from selfdoubt.runtime.errors import UserError


def parts_of(labels: np.ndarray, replicate: int, parts: int, division: int) -> np.ndarray:
    """Return the part, from 1, that each of a replicate's training images is in: (n,).

    labels: (n,) of these images. division: the number of the division, each of which is another at random. Parts differ
    by one image at most, and so do the images of a class in them: each class is dealt out in a random order, from where
    the class before it ended. Raises UserError if a part would have no image.
    """
    if parts > len(labels):
        raise UserError(f"folds_of: parts: {parts}, but replicate {replicate} has {len(labels)} images; lower it")
    dealt = []
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        dealt.append(randomness.generator(replicate, "parts", parts, division, int(label)).permutation(members))
    found = np.empty(len(labels), np.int64)
    found[np.concatenate(dealt)] = np.arange(len(labels)) % parts + 1
    return found
