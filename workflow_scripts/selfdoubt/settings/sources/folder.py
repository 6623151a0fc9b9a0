"""Class folders of one's own image files."""

from pathlib import Path

from selfdoubt.settings.source_files import Folders, class_folders

FORM = "folder:PATH"
IMAGE_FILES = True


def files_of(place: str, folders: Folders) -> list[Path]:
    """Return the root and its folders down to those of the classes."""
    return class_folders(Path(place).expanduser())


def has_masks(place: str) -> bool:
    """Return True: a folder `masks` may lie beside those of the classes."""
    return True
