"""One's own tables of images: a Parquet file, or a folder of them, as on the Hugging Face hub."""

from pathlib import Path

from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.listing import files_below, path_of
from selfdoubt.settings.source_files import Folders
from selfdoubt.settings.split_names import CHOICES, SPLITS, set_of_path, split_in, split_of_path

FORM = "parquet:PATH"


def files_of(place: str, folders: Folders) -> list[Path]:
    """Return the file, or all *.parquet below the folder; raises UserError as `files_by_split` does."""
    return sorted(path for paths in files_by_split(place)[0].values() for path in paths)


def has_masks(place: str) -> bool:
    """Return True: a table may have a column `mask`."""
    return True


def has_label_probabilities(place: str) -> bool:
    """Return True: a table may have a column `label_probabilities`."""
    return True


def has_val(place: str) -> bool:
    """Return whether val comes with the files."""
    return "val" in files_by_split(place)[0]


def files_by_split(place: str) -> tuple[dict[str, list[Path]], dict[str, str]]:
    """Return the Parquet files of each split, by the names in their paths, and the ignored files with the reason.

    Files of which none names a split are of train, as is a single file. Raises UserError if there is none, none of
    train, one that names no split beside others that do, or if val or test have two sets.
    """
    root, others = path_of(place), {}
    if root.is_file():
        return {"train": [root]}, {}
    listed = files_below(root, root, others) if root.is_dir() else []
    tables = sorted(path for path in listed if path.suffix.lower() == ".parquet")
    if not tables:
        raise UserError(f"{root}: no such file, or no *.parquet in it; give a Parquet file or a folder of them")
    ignored = {str(path.relative_to(root)): "not Parquet" for path in sorted(set(listed) - set(tables))}
    ignored |= {str(path.relative_to(root)): reason for path, reason in others.items()}
    splits = {path: split_of_path(path.relative_to(root)) for path in tables}
    if not any(splits.values()):
        return {"train": tables}, ignored
    if unknown := [path for path, split in splits.items() if split is None]:
        remedy = f"name a split in its path ({CHOICES}), or move it away"
        raise UserError(f"{unknown[0]}: of no split by its name, beside files that are; {remedy}")
    if "train" not in splits.values():
        raise UserError(f"{root}: no file of training images; name it train.parquet or train-….parquet")
    found = {split: [p for p in tables if splits[p] == split] for split in SPLITS if split in splits.values()}
    for split in ("val", "test"):
        _check_one_set(place, split, found.get(split, []))
    return found, ignored


def _check_one_set(place: str, split: str, paths: list[Path]) -> None:
    """Raise UserError if files of a split are of two sets by their names: what is evaluated is not pooled silently."""
    root = path_of(place)
    for files in configurations(place, {split: paths}).values():
        sets = {set_of_path(path.relative_to(root)): path for path in reversed(files)}
        if len(sets) > 1:
            names = " and ".join(str(path.relative_to(root)) for path in sorted(sets.values())[:2])
            raise UserError(f"{root}: {names} are both {split}; join them into files of one name, or move one away")


def configurations(place: str, files: dict[str, list[Path]]) -> dict[str, list[Path]]:
    """Return the files of each configuration, as the hub calls data sets in folders of one repository, by its folder.

    A folder counts if it names no split: A/train and A/test are of one, as are train/A and test/A.
    """
    root, found = path_of(place), {}
    for path in (path for paths in files.values() for path in paths):
        folders = path.relative_to(root).parts[:-1]
        name = "/".join(part for part in folders if split_in(part) is None)
        found.setdefault(name, []).append(path)
    return found
