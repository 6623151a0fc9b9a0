"""Objects of fashion-mnist-12k on textures, 32 px RGB, with exact masks: composed when they are prepared."""

from pathlib import Path

from selfdoubt.settings.source_files import Folders
from selfdoubt.settings.sources import embedded

FORM = "fashion-scenes"
EMBEDDED = True
COMPOSED_OF = "fashion-mnist-12k"
LARGEST_SPLIT = (10_000, 3, 32)
N_CLASSES = 10


def files_of(place: str, folders: Folders) -> list[Path]:
    """Return the tables of the data set whose objects are placed."""
    return embedded.files_of(COMPOSED_OF, folders)


def has_masks(place: str) -> bool:
    """Return True: each scene has a mask."""
    return True
