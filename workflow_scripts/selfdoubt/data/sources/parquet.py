"""One's own tables of images (`data.tables`): a Parquet file, or a folder of them."""

import dataclasses

from selfdoubt.data import tables
from selfdoubt.data.raw import Raw
from selfdoubt.settings.source_files import Folders
from selfdoubt.settings.sources import parquet


def find(place: str, folders: Folders) -> Raw:
    """Read the tables; images stay encoded. Raises UserError if there are several configurations, unlike in classes."""
    files, ignored = parquet.files_by_split(place)
    pooled = parquet.configurations(place, files)
    if len(pooled) > 1:
        tables.check_alike(pooled)
    return dataclasses.replace(tables.read(files), ignored=ignored, pooled=[*pooled] if len(pooled) > 1 else [])
