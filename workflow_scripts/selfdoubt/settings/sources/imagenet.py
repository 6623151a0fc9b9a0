"""ILSVRC 2012 in its folders: a copy of one's own."""

from pathlib import Path

from selfdoubt.settings.listing import path_of
from selfdoubt.settings.source_files import Folders, class_folders, existing

FORM = "imagenet:PATH"
IMAGE_FILES = True
LARGEST_SPLIT = (1_281_167, 3, 224)
N_TEST = 50_000
N_CLASSES = 1000


def files_of(place: str, folders: Folders) -> list[Path]:
    """Return the root and its folders down to those of the classes."""
    root = path_of(place)
    existing([root / "train", root / "val"], "unpack ILSVRC 2012's train and val there", folder=True)
    return class_folders(root)
