"""Which images are val where a source has none."""

from types import SimpleNamespace

import numpy as np
import pytest

from selfdoubt.data import splitting
from selfdoubt.runtime.errors import UserError

CLASSES = ["a", "b"]


def choose(sizes: dict[str, int], val_from: str = "test", **settings):
    labels = {name: np.arange(n) % 2 for name, n in sizes.items()}
    drawn = {"val_fraction": 0.5, "test_fraction": 0.2, "split_seed": 0, "val_from": val_from}
    return splitting.choose(labels, CLASSES, SimpleNamespace(**drawn | settings))


def test_val_from_test_leaves_train_whole_and_shares_no_image_with_test():
    chosen = choose({"train": 20, "test": 40})
    assert [pool for pool, _ in chosen.values()] == ["train", "test", "test"]
    (_, train), (_, val), (_, test) = chosen.values()
    assert len(train) == 20 and len(val) == len(test) == 20 and sorted([*val, *test]) == [*range(40)]
    assert np.bincount(val % 2).tolist() == [10, 10]  # of each class one half


def test_val_from_train_is_as_ever():
    found, settled = choose({"train": 20, "test": 40}, "train"), choose({"train": 20}, "train")
    assert [(pool, len(rows)) for pool, rows in found.values()] == [("train", 10), ("train", 10), ("test", 40)]
    assert [(pool, len(rows)) for pool, rows in settled.values()] == [("train", 8), ("train", 8), ("train", 4)]


def test_a_rare_class_has_an_image_in_every_split_and_is_named_where_it_has_too_few():
    settings = SimpleNamespace(val_fraction=0.1, test_fraction=0.1, split_seed=0)
    labels = {"train": np.repeat([0, 1], [40, 3])}
    chosen = splitting.choose(labels, CLASSES, settings)
    counts = {split: np.bincount(labels["train"][rows]).tolist() for split, (_, rows) in chosen.items()}
    assert counts == {"train": [32, 1], "val": [4, 1], "test": [4, 1]}
    with pytest.raises(UserError, match="class 'b' has no image in val"):
        splitting.choose({"train": np.repeat([0, 1], [40, 2])}, CLASSES, settings)


def test_as_many_test_images_as_are_asked_for_in_the_proportions_of_the_classes():
    labels = {"train": np.arange(20) % 2, "test": np.repeat([0, 1], [30, 10])}
    settings = SimpleNamespace(val_fraction=0.5, test_fraction=0.2, split_seed=0, val_from="train", test_images=8)
    pool, rows = splitting.choose(labels, CLASSES, settings)["test"]
    assert pool == "test" and np.bincount(labels["test"][rows]).tolist() == [6, 2]
    assert rows.tolist() == sorted(set(rows))
    settings.test_images = 41
    with pytest.raises(UserError, match="test_images: 41, but the test split has 40; lower it"):
        splitting.choose(labels, CLASSES, settings)


def test_fewer_test_images_are_some_of_the_test_images_and_move_no_other():
    whole, few = (choose({"train": 40}, "train", test_images=n) for n in (None, 4))
    assert set(few["test"][1]) < set(whole["test"][1]) and len(few["test"][1]) == 4
    assert all(few[split][1].tolist() == whole[split][1].tolist() for split in ("train", "val"))


@pytest.mark.parametrize("sizes", [{"train": 20}, {"train": 20, "val": 10, "test": 10}])
def test_val_from_test_needs_test_images_and_no_val(sizes):
    with pytest.raises(UserError, match="val_from: test, but the source has"):
        choose(sizes)
