"""Class folders of one's own image files, or folders of splits that hold such."""

from pathlib import Path

from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.listing import contents, files_below, path_of
from selfdoubt.settings.source_files import MASKS, Folders, class_folders, existing, label_file
from selfdoubt.settings.split_names import CHOICES, SPLITS, split_in, split_named

FORM = "folder:PATH"
IMAGE_FILES = True


def files_of(place: str, folders: Folders) -> list[Path]:
    """Return the root, its folders down to those of the classes, and a file of labels of people if there is one.

    Raises UserError as `split_folders` does.
    """
    root = path_of(place)
    found = class_folders(root)
    split_folders(root)
    labels = label_file(root)
    return [*found, labels] if labels else found


def has_masks(place: str) -> bool:
    """Return True: a folder `masks` may lie beside those of the classes."""
    return True


def has_label_probabilities(place: str) -> bool:
    """Return whether a file of them lies beside the folders of the classes or of the splits."""
    return label_file(path_of(place)) is not None


def has_val(place: str) -> bool:
    """Return whether val is a folder of its own."""
    return "val" in split_folders(path_of(place))


def n_images(place: str) -> int:
    """Return how many files there are beside the masks: no fewer than images, in all splits together."""
    root = path_of(place)
    return sum(path.relative_to(root).parts[0] != MASKS for path in files_below(root, root, {}))


def n_classes(place: str) -> int:
    """Return how many class folders train has; 0: none."""
    root = path_of(place)
    return sum(path.name != MASKS for path in contents(split_folders(root).get("train", root)).folders)


def split_folders(root: Path) -> dict[str, Path]:
    """Return the folders of train and perhaps of val and test; none where the root's folders are classes.

    Raises UserError, which names the folder, where it could be either.
    """
    existing([root], "give a folder of class folders", folder=True)
    folders = [path for path in contents(root).folders if path.name != MASKS]
    named = _splits_among(folders)
    if "train" not in named.values():
        if nested := [path for path in named if contents(path).folders]:
            raise UserError(f"{nested[0]}: a split by its name, without train beside it; add that, or rename this")
        return {}  # classes, one of which may be called dev or valid
    train = next(path for path, split in named.items() if split == "train")
    if strangers := [path for path in folders if path not in named]:
        remedy = f"give it the name of a split ({CHOICES}), or move it; if {train.name} is a class, rename that"
        raise UserError(f"{strangers[0]}: a folder beside {train.name}, and not a split by its name; {remedy}")
    for split in SPLITS:
        if len(twice := [path.name for path in named if named[path] == split]) > 1:
            raise UserError(f"{root}: {' and '.join(twice)} are both {split}; join them, or move one away")
    return {split: path for split in SPLITS for path in named if named[path] == split}


def _splits_among(folders: list[Path]) -> dict[Path, str]:
    """Return which folders are splits by their names.

    A word of a longer name counts only where it must: as in training_set and test_set, which hold folders both. A
    class may be called train station.
    """
    within = {path: split for path in folders if (split := split_in(path.name))}
    if {"train"} < set(within.values()) and all(contents(path).folders for path in within):
        return within
    return {path: split for path in folders if (split := split_named(path.name))}
