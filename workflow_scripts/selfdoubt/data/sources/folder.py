"""Class folders of one's own image files.

    ROOT/CLASS/….png                       split by this project
    ROOT/{train,val,test}/CLASS/….png      split already; val and test may be missing
    ROOT/masks/…/….png                     where the object is (any pixel above 0), under the same names

Images may lie in folders below that of their class. Links out of the root are refused.
"""

from pathlib import Path

from selfdoubt.data import image_folders
from selfdoubt.data.raw import Raw
from selfdoubt.settings.source_files import Folders
from selfdoubt.settings.sources import folder as facts

_SPLITS = ("train", "val", "test")


def find(place: str, folders: Folders) -> Raw:
    """List the images of a root of class folders, or of a folder of images, which are then of one class."""
    facts.files_of(place, folders)  # raises UserError if it is not there
    root, ignored = Path(place).expanduser(), []
    ready = [split for split in _SPLITS if (root / split).is_dir()] if (root / "train").is_dir() else []
    listed = {split: image_folders.classes(root, root / split, ignored) for split in ready}
    listed = listed or {"train": image_folders.classes(root, root, ignored)}
    class_names = list(listed["train"])
    pools = {split: image_folders.pool(root, found, class_names, root / split) for split, found in listed.items()}
    return Raw(pools, class_names, ignored)
