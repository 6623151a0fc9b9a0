"""One's own tables of images (`data.tables`): a Parquet file, or a folder of them.

A folder's files belong to the split that their names begin with: train, validation (valid, val) or test, up to the
first "-". Files of other names are training images.
"""

from selfdoubt.data import tables
from selfdoubt.data.raw import Raw
from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.source_files import Folders
from selfdoubt.settings.sources import parquet

_SPLITS = {"train": "train", "validation": "val", "valid": "val", "val": "val", "test": "test"}


def find(place: str, folders: Folders) -> Raw:
    """Read the tables; images stay encoded."""
    found = {}
    for path in parquet.files_of(place, folders):
        first = path.stem.split("-")[0].lower()
        found.setdefault(_SPLITS.get(first, "train"), []).append(path)
    if "train" not in found:
        raise UserError(f"{place}: no file of training images; name it train.parquet or train-….parquet")
    return tables.read(found)
