"""Tiny ImageNet: 100,000 and 10,000 images of 200 classes, 64 px RGB."""

from pathlib import Path

from selfdoubt.settings.source_files import Folders, published

FORM = "tiny-imagenet[:PATH]"
LARGEST_SPLIT = (100_000, 3, 64)
N_CLASSES = 200
DOWNLOADS = {
    "tiny-imagenet-200.zip": (
        "http://cs231n.stanford.edu/tiny-imagenet-200.zip",
        "90528d7ca1a48142e341f4ef8d21d0de",
    )
}
MEMBERS = ("wnids.txt", "words.txt", "val/val_annotations.txt")


def files_of(place: str, folders: Folders) -> list[Path]:
    """Return the files of a copy, or those that are fetched."""
    return published(DOWNLOADS, MEMBERS, place, folders)
