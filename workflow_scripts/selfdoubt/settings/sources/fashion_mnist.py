"""Fashion-MNIST (Xiao, Rasul & Vollgraf 2017): 60,000 and 10,000 images, 28 px grey."""

from pathlib import Path

from selfdoubt.settings.source_files import Folders, published

FORM = "fashion-mnist[:PATH]"
LARGEST_SPLIT = (60_000, 1, 28)
N_CLASSES = 10
DEBIAN = Path("/usr/share/datasets/fashion-mnist")  # of the package dataset-fashion-mnist
_ADDRESS = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"
_MD5 = {
    "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
    "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
    "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
}
DOWNLOADS = {name: (_ADDRESS + name, md5) for name, md5 in _MD5.items()}
MEMBERS = tuple(_MD5)


def files_of(place: str, folders: Folders) -> list[Path]:
    """Return the files of a copy, of Debian's package where it is installed, or those that are fetched."""
    debian = [DEBIAN / name for name in MEMBERS]
    if not place and all(path.is_file() for path in debian):
        return debian
    return published(DOWNLOADS, MEMBERS, place, folders)
