"""Objects of Fashion-MNIST on textures, 32 px RGB, with exact masks: composed when they are prepared.

Of fashion-mnist-12k, which comes with the project, or of all of Fashion-MNIST: `fashion-scenes:fashion-mnist`, of a
copy of one's own `fashion-scenes:fashion-mnist:PATH`.
"""

from pathlib import Path

from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.source_files import Folders
from selfdoubt.settings.sources import embedded, fashion_mnist

FORM = "fashion-scenes[:fashion-mnist[:PATH]]"
WHOLE = "fashion-mnist"
COMPOSED_OF = "fashion-mnist-12k"
LARGEST_SPLIT = (60_000, 3, 32)
N_CLASSES = 10


def files_of(place: str, folders: Folders) -> list[Path]:
    """Return the files of the data set whose objects are placed; raises UserError if it is neither of the two."""
    copy = copy_of(place)
    return embedded.files_of(COMPOSED_OF, folders) if copy is None else fashion_mnist.files_of(copy, folders)


def copy_of(place: str) -> str | None:
    """Return the place of Fashion-MNIST, empty where none is given, or None where the objects are the embedded ones.

    Raises UserError if another data set is named.
    """
    base, _, copy = place.partition(":")
    if base not in ("", WHOLE):
        remedy = f"write {WHOLE}, or nothing for {COMPOSED_OF}"
        raise UserError(f"'{base}' is no data set whose objects are placed; {remedy}")
    return copy if base else None


def is_embedded(place: str) -> bool:
    """Return whether the objects are those that come with the project."""
    return not place


def has_masks(place: str) -> bool:
    """Return True: each scene has a mask."""
    return True
