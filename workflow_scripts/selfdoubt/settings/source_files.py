"""What sources of images are made of: checks that files and folders are there, shared by `settings.sources`.

Rules import this, so it opens no file and lists no more than folders.
"""

import errno
import os
from pathlib import Path
from typing import NamedTuple

from selfdoubt.runtime.errors import UserError, together
from selfdoubt.settings.listing import contents, path_of, unreadable

MASKS = "masks"  # a folder of masks, beside those of the classes or of the splits
LABEL_FILES = ("label_probabilities.csv", "label_probabilities.parquet")  # of labels of people, in the same place


class Folders(NamedTuple):
    """Where files of sources are, unless the config names their place."""

    embedded: Path  # of the data sets that come with the project
    fetched: Path  # of published files, as fetch_file leaves them


def published(downloads: dict, members: tuple[str, ...], place: str, folders: Folders) -> list[Path]:
    """Return the files of a published data set: those of an unpacked copy at `place`, else those that are fetched.

    downloads: by file name. members: below the folder of a copy, which must be there; what is fetched need not be.
    """
    if place:
        folder = path_of(place)
        return existing([folder / name for name in members], "put the published files there")
    return [folders.fetched / name for name in downloads]


def class_folders(root: Path) -> list[Path]:
    """Return a root and its folders down to those of the classes; adding or removing an image changes one of them.

    Raises UserError, which names all of them, if some cannot be read.
    """
    existing([root], "give a folder of class folders", folder=True)
    below = _readable(contents(root).folders)
    return [root, *below, *_readable([inner for folder in below for inner in contents(folder).folders])]


def label_file(root: Path) -> Path | None:
    """Return the file of labels of people beside class folders, if there is one; raises UserError if there are two."""
    found = [root / name for name in LABEL_FILES if (root / name).is_file()]
    if len(found) > 1:
        raise UserError(f"{root}: {' and '.join(LABEL_FILES)} are both there; remove one")
    return found[0] if found else None


def _readable(folders: list[Path]) -> list[Path]:
    denied = OSError(errno.EACCES, os.strerror(errno.EACCES))
    if faults := [unreadable(path, denied) for path in folders if not os.access(path, os.R_OK | os.X_OK)]:
        raise together(faults)
    return folders


def existing(paths: list[Path], remedy: str, folder: bool = False) -> list[Path]:
    """Return the paths; raises UserError with a remedy at the first that is no file, or no folder."""
    for path in paths:
        try:
            there = path.is_dir() if folder else path.is_file()
        except OSError as error:
            raise unreadable(path, error) from None
        if not there:
            raise UserError(f"{path} is missing; {remedy}")
    return paths
