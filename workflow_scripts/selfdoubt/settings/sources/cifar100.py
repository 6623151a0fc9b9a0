"""CIFAR-100 (Krizhevsky 2009) with its 100 fine labels: 50,000 and 10,000 images, 32 px RGB."""

from pathlib import Path

from selfdoubt.settings.source_files import Folders, published

FORM = "cifar100[:PATH]"
LARGEST_SPLIT = (50_000, 3, 32)
N_CLASSES = 100
DOWNLOADS = {
    "cifar-100-python.tar.gz": (
        "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
        "eb9058c3a382ffc7106e4002c42a8d85",
    )
}
MEMBERS = ("train", "test", "meta")


def files_of(place: str, folders: Folders) -> list[Path]:
    """Return the files of a copy, or those that are fetched."""
    return published(DOWNLOADS, MEMBERS, place, folders)
