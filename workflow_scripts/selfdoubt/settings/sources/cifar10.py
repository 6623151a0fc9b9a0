"""CIFAR-10 (Krizhevsky 2009): 50,000 and 10,000 images, 32 px RGB."""

from pathlib import Path

from selfdoubt.settings.source_files import Folders, published

FORM = "cifar10[:PATH]"
LARGEST_SPLIT = (50_000, 3, 32)
N_CLASSES = 10
DOWNLOADS = {
    "cifar-10-python.tar.gz": (
        "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
        "c58f30108f718f92721af3b95e74349a",
    )
}
MEMBERS = ("data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch", "batches.meta")


def files_of(place: str, folders: Folders) -> list[Path]:
    """Return the files of a copy, or those that are fetched."""
    return published(DOWNLOADS, MEMBERS, place, folders)
