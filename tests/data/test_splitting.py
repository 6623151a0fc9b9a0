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


@pytest.mark.parametrize("sizes", [{"train": 20}, {"train": 20, "val": 10, "test": 10}])
def test_val_from_test_needs_test_images_and_no_val(sizes):
    with pytest.raises(UserError, match="val_from: test, but the source has"):
        choose(sizes)
