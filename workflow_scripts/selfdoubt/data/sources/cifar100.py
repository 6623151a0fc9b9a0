"""CIFAR-100 (Krizhevsky 2009) with its 100 fine labels, from its pickles."""

from selfdoubt.data import cifar
from selfdoubt.data.raw import Raw
from selfdoubt.settings.source_files import Folders
from selfdoubt.settings.sources import cifar100 as facts


def find(place: str, folders: Folders) -> Raw:
    """Read the images and labels of both official splits."""
    return cifar.find(facts, place, folders, b"fine_labels", "meta", b"fine_label_names")
