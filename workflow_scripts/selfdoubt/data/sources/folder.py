"""Class folders of one's own image files.

    ROOT/CLASS/….png                       split by this project
    ROOT/{train,val,test}/CLASS/….png      split already, under any usual name; val and test may be missing
    ROOT/masks/…/….png                     where the object is (any pixel above 0), under the same names
    ROOT/label_probabilities.csv           how many people gave each class, by the image's name below ROOT; or .parquet

Images may lie in folders below that of their class.
"""

import dataclasses

from selfdoubt.data import image_folders, label_probabilities
from selfdoubt.data.raw import Raw
from selfdoubt.settings.listing import path_of
from selfdoubt.settings.source_files import Folders, label_file
from selfdoubt.settings.sources import folder as facts


def find(place: str, folders: Folders) -> Raw:
    """List the images of a root of class folders, or of a folder of images, which are then of one class."""
    root, ignored = path_of(place), {}
    splits = facts.split_folders(root)
    if splits:
        image_folders.ignore_loose(root, root, ignored)
    listed = {name: image_folders.classes(root, path, ignored) for name, path in (splits or {"train": root}).items()}
    class_names = list(listed["train"])
    pools = {name: image_folders.pool(root, each, class_names, splits.get(name, root)) for name, each in listed.items()}
    if path := label_file(root):
        of = {name: label_probabilities.of_file(path, pool.images, class_names) for name, pool in pools.items()}
        pools = {name: dataclasses.replace(pool, label_probabilities=of[name]) for name, pool in pools.items()}
    return Raw(pools, class_names, ignored)
