"""CIFAR-10 (Krizhevsky 2009), from its pickles."""

from selfdoubt.data import cifar
from selfdoubt.data.raw import Raw
from selfdoubt.settings.source_files import Folders
from selfdoubt.settings.sources import cifar10 as facts


def find(place: str, folders: Folders) -> Raw:
    """Read the images and labels of both official splits."""
    return cifar.find(facts, place, folders, b"labels", "batches.meta", b"label_names")
