"""Data sets that come with the project, as tables: `resources/NAME/{train,val,test}.parquet`."""

from selfdoubt.data import tables
from selfdoubt.data.raw import Raw
from selfdoubt.settings.source_files import Folders
from selfdoubt.settings.sources import embedded


def find(place: str, folders: Folders) -> Raw:
    """Read the tables; images stay encoded."""
    paths = embedded.files_of(place, folders)
    return tables.read({split: [path] for split, path in zip(embedded.SPLITS, paths, strict=True)})


def name_in(place: str) -> str:
    """Return the place, which is no path."""
    return place
