"""One's own tables of images: a Parquet file, or a folder of them, as on the Hugging Face hub."""

from pathlib import Path

from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.source_files import Folders

FORM = "parquet:PATH"


def files_of(place: str, folders: Folders) -> list[Path]:
    """Return the file, or all *.parquet below the folder; raises UserError if there is none."""
    path = Path(place).expanduser()
    found = sorted(path.rglob("*.parquet")) if path.is_dir() else [path]
    if not found or not all(each.is_file() for each in found):
        raise UserError(f"{path}: no such file, or no *.parquet in it; give a Parquet file or a folder of them")
    return found


def has_masks(place: str) -> bool:
    """Return True: a table may have a column `mask`."""
    return True
