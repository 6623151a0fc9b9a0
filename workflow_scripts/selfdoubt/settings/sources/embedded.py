"""Data sets that come with the project, as tables: `resources/NAME/{train,val,test}.parquet`."""

import difflib
from pathlib import Path

from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.source_files import Folders, existing

FORM = "embedded:NAME"
SPLITS = ("train", "val", "test")
LARGEST_SPLIT = (10_000, 3, 32)
N_CLASSES = 10


def files_of(place: str, folders: Folders) -> list[Path]:
    """Return the tables of an embedded data set; raises UserError, with the names that there are, if it is none."""
    folder = folders.embedded / place
    if not folder.is_dir():
        known = sorted(path.parent.name for path in folders.embedded.glob("*/train.parquet"))
        near = difflib.get_close_matches(place, known, n=1)
        hint = f"did you mean '{near[0]}'? " if near else ""
        raise UserError(f"'{place}' is not an embedded data set; {hint}There are: {', '.join(known) or 'none'}")
    return existing([folder / f"{split}.parquet" for split in SPLITS], "restore it by git checkout")


def is_embedded(place: str) -> bool:
    """Return True: they come with the project."""
    return True


def has_masks(place: str) -> bool:
    """Return whether masks may come with the images."""
    return place != "fashion-mnist-12k"
