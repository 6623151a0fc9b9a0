"""CIFAR-10-C and CIFAR-100-C as published (Hendrycks & Dietterich 2019): NAME.npy and labels.npy in one folder."""

from pathlib import Path

from selfdoubt.settings.listing import path_of
from selfdoubt.settings.source_files import existing

FORM = "cifar-c:PATH"
CORRUPTED = True  # by name and severity
IMAGE_BYTES = 3 * 32 * 32


def files_of(place: str, name: str) -> list[Path]:
    """Return the arrays of one corruption; name: as in the config, with "-" for the file's "_"."""
    root = path_of(place)
    return existing([root / f"{name.replace('-', '_')}.npy", root / "labels.npy"], "put the published files there")


def n_images(place: str, name: str) -> int:
    """Return how many images of 32 px a severity has, by the size of the file."""
    return files_of(place, name)[0].stat().st_size // (5 * IMAGE_BYTES)
