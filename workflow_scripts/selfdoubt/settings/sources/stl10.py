"""STL-10 (Coates, Lee & Ng 2011): 5,000 and 8,000 labelled images, 96 px RGB."""

from pathlib import Path

from selfdoubt.settings.source_files import Folders, published

FORM = "stl10[:PATH]"
LARGEST_SPLIT = (8_000, 3, 96)
N_CLASSES = 10
DOWNLOADS = {
    "stl10_binary.tar.gz": (
        "http://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz",
        "91f7769df0f17e558f3565bffb0c7dfb",
    )
}
MEMBERS = ("train_X.bin", "train_y.bin", "test_X.bin", "test_y.bin", "class_names.txt")


def files_of(place: str, folders: Folders) -> list[Path]:
    """Return the files of a copy, or those that are fetched."""
    return published(DOWNLOADS, MEMBERS, place, folders)
