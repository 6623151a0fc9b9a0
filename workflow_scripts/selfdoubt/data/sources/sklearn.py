"""Data sets that come with scikit-learn: 1,797 handwritten digits, 8 px grey."""

import numpy as np

from selfdoubt.data.raw import Pool, Raw
from selfdoubt.settings.source_files import Folders
from selfdoubt.settings.sources import sklearn as facts


def find(place: str, folders: Folders) -> Raw:
    """Return the digits, whose values from 0 to 16 become 0 to 255."""
    from sklearn.datasets import load_digits

    facts.files_of(place, folders)  # raises UserError if it is not the digits
    found = load_digits()
    grey = np.rint(found.images * (255 / 16)).astype(np.uint8)  # (n, 8, 8)
    return Raw({"train": Pool(grey[:, None], found.target.astype(np.int64))}, [str(digit) for digit in range(10)])


def name_in(place: str) -> str:
    """Return the place, which is no path."""
    return place
