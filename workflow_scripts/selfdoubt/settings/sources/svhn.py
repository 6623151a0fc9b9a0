"""SVHN (Netzer et al. 2011): 73,257 and 26,032 cropped house numbers, 32 px RGB, without its extra images."""

from pathlib import Path

from selfdoubt.settings.source_files import Folders, published

FORM = "svhn[:PATH]"
LARGEST_SPLIT = (73_257, 3, 32)
N_CLASSES = 10
_ADDRESS = "http://ufldl.stanford.edu/housenumbers/"
_MD5 = {
    "train_32x32.mat": "e26dedcc434d2e4c54c9b2d4a06d8373",
    "test_32x32.mat": "eb5a983be6a315427106f1b164d9cef3",
}
DOWNLOADS = {name: (_ADDRESS + name, md5) for name, md5 in _MD5.items()}
MEMBERS = tuple(_MD5)


def files_of(place: str, folders: Folders) -> list[Path]:
    """Return the files of a copy, or those that are fetched."""
    return published(DOWNLOADS, MEMBERS, place, folders)
