"""One's own tables of images (`data.tables`): a Parquet file, or a folder of them."""

import dataclasses

from selfdoubt.data import tables
from selfdoubt.data.raw import Raw
from selfdoubt.settings.source_files import Folders
from selfdoubt.settings.sources import parquet


def find(place: str, folders: Folders) -> Raw:
    """Read the tables; images stay encoded."""
    files, ignored = parquet.files_by_split(place)
    return dataclasses.replace(tables.read(files), ignored=ignored)
