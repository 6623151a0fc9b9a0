"""Which split a name means, and what a folder's folders are: splits or classes."""

from pathlib import Path

import pytest

from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.sources.folder import split_folders
from selfdoubt.settings.sources.parquet import files_by_split
from selfdoubt.settings.split_names import SPLITS, split_in, split_named, split_of_path

WORDS = [(word, split) for split, words in SPLITS.items() for word in words]


@pytest.mark.parametrize(("word", "split"), WORDS)
def test_every_word_means_its_split_in_any_capitals_and_within_a_name(word, split):
    for name in (word, word.upper(), word.capitalize()):
        assert split_named(name) == split
        for within in (f"{name}-00000-of-00002", f"animals_{name}", f"{name}2017", f"my {name} set", f"split={name}"):
            assert split_in(within) == split and split_named(within) is None
    assert split_in(f"{word}Set") == split


@pytest.mark.parametrize(
    "name", ["0000", "restraint", "contest", "latest", "devil", "train_test", "éval", "e\u0301val"]
)
def test_other_names_and_names_of_several_splits_mean_none(name):
    assert split_in(name) is None


def test_the_last_part_of_a_path_that_means_a_split_decides():
    paths = {"default/test/0000": "test", "train_test_split/train/0": "train", "train/test-0": "test", "data/0": None}
    assert {path: split_of_path(Path(path)) for path in paths} == paths


# ---- folders ----


def folders(root: Path, names: str) -> Path:
    for name in names.split():
        (root / name).mkdir(parents=True)
    return root


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ("train/a train/b valid/a test/a", {"train": "train", "val": "valid", "test": "test"}),
        ("Training/a TESTING/a masks/Training", {"train": "Training", "test": "TESTING"}),
        ("train dev eval-notes/x", "eval-notes: a folder beside train, and not a split"),
        ("training_set/a test_set/a", {"train": "training_set", "test": "test_set"}),
        ("seg_train/a seg_test/a seg_pred/a", "seg_pred: a folder beside seg_train, and not a split"),
        ("train car bus", "bus: a folder beside train, and not a split by its name; .* if train is a class, rename"),
        ("train/steam car bus", "bus: a folder beside train, and not a split"),
        ("train/a training/a test/a", "train and training are both train"),
        ("train/a val/a dev/a", "dev and val are both val"),
        ("val/a test/a", "test: a split by its name, without train beside it"),
        ("car bus test/car test/bus", "test: a split by its name, without train beside it"),
        ("valid invalid", {}),  # classes
        ("control test", {}),
        ("train_station bus_station", {}),
        ("a b .train/x", {}),
    ],
)
def test_folders_are_splits_or_classes_or_the_clash_is_named(tmp_path, names, found):
    root = folders(tmp_path, names)
    if isinstance(found, dict):
        assert {split: path.name for split, path in split_folders(root).items()} == found
        return
    with pytest.raises(UserError, match=found) as fault:
        split_folders(root)
    assert "\n" not in str(fault.value)


# ---- Parquet files ----


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ("animals_train animals_test", {"train": 1, "test": 1}),
        ("default/train/0000 default/train/0001 default/test/0000", {"train": 2, "test": 1}),
        ("data/train-00000-of-00002 data/train-00001-of-00002 data/validation-00000", {"train": 2, "val": 1}),
        ("train/x .ipynb_checkpoints/train-checkpoint ._train __MACOSX/train", {"train": 1}),
        ("part-0 part-1", {"train": 2}),  # no file names a split
        ("train extra", r"extra\.parquet: of no split by its name"),
        ("train train_test", r"train_test\.parquet: of no split"),
        ("test", "no file of training images"),
        (".train", "no such file, or no"),
    ],
)
def test_the_split_of_a_table_is_found_in_its_path(tmp_path, names, found):
    for name in names.split():
        path = tmp_path / f"{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    if isinstance(found, dict):
        assert {split: len(paths) for split, paths in files_by_split(str(tmp_path))[0].items()} == found
        return
    with pytest.raises(UserError, match=found):
        files_by_split(str(tmp_path))


def test_what_is_no_table_is_ignored_with_the_reason(tmp_path):
    for name in ("train.parquet", "README.md", ".train.parquet.crc"):
        (tmp_path / name).touch()
    assert files_by_split(str(tmp_path))[1] == {"README.md": "not Parquet", ".train.parquet.crc": "hidden"}
