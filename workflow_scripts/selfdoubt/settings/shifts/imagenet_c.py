"""ImageNet-C as published (Hendrycks & Dietterich 2019): folders NAME/SEVERITY/CLASS of image files."""

from pathlib import Path

from selfdoubt.settings.listing import path_of
from selfdoubt.settings.source_files import class_folders, existing

FORM = "imagenet-c:PATH"
CORRUPTED = True  # by name and severity


def files_of(place: str, name: str) -> list[Path]:
    """Return the folders of one corruption; name: as in the config, with "-" for the folder's "_"."""
    folder = path_of(place) / name.replace("-", "_")
    existing([folder], "unpack the published archive there", folder=True)
    return class_folders(folder)
