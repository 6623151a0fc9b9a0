"""Data sets that come with scikit-learn: 1,797 handwritten digits, 8 px grey."""

from pathlib import Path

from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.source_files import Folders

FORM = "sklearn:digits"
LARGEST_SPLIT = (1_797, 1, 8)
N_CLASSES = 10


def files_of(place: str, folders: Folders) -> list[Path]:
    """Return nothing: the images come with the package; raises UserError if it has no such images."""
    if place != "digits":
        raise UserError(f"'{place}' is none of scikit-learn's images; write {FORM}")
    return []
