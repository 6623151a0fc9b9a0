"""Parts of a replicate's training images: whole, disjoint, balanced, and the same whatever else there is."""

from types import SimpleNamespace

import numpy as np
import pytest
from small_training import split_of

from selfdoubt.data import datasets
from selfdoubt.data.folds import parts_of
from selfdoubt.data.own_images import held_out, positions, read_train
from selfdoubt.runtime.errors import UserError

LABELS = np.repeat([0, 1, 2, 3], [10, 7, 3, 1])


@pytest.mark.parametrize("parts", [2, 3, 5])
def test_every_image_is_in_one_part_and_parts_differ_by_one_image_in_size_and_in_each_class(parts):
    found = parts_of(LABELS, 1, parts, 1)
    sizes = np.bincount(found)[1:]
    assert sizes.sum() == 21 and len(sizes) == parts and np.ptp(sizes) <= 1
    for label in range(4):
        assert np.ptp(np.bincount(found[label == LABELS], minlength=parts + 1)[1:]) <= 1


def test_divisions_are_others_of_each_replicate_number_of_parts_and_division():
    keys = [(1, 3, 1), (1, 3, 2), (2, 3, 1), (1, 2, 1)]
    found = [parts_of(LABELS, *key) for key in keys]
    assert len({each.tobytes() for each in found}) == len(keys)
    assert np.array_equal(found[0], parts_of(LABELS, *keys[0]))


def test_no_part_is_empty():
    with pytest.raises(UserError, match="parts: 22, but replicate 1 has 21 images; lower it"):
        parts_of(LABELS, 1, 22, 1)


@pytest.mark.parametrize("own", [{}, {"own_images": SimpleNamespace(kind="disjoint", n_images=9)}])
def test_a_fold_has_the_images_of_its_replicate_but_for_its_part(tmp_path, own):
    split = split_of()
    datasets.write_splits(tmp_path / "train", {"train": split}, {})
    rows = positions(split.labels, 2, **vars(own["own_images"])) if own else np.arange(20)
    folds = [SimpleNamespace(parts=3, division=1, part=part) for part in (1, 2, 3)]
    whole = SimpleNamespace(**own)
    unseen = held_out(tmp_path / "train", whole, 2, folds)
    assert unseen.sum(0).tolist() == [1] * len(rows)
    for fold, left_out in zip(folds, unseen, strict=True):
        train, shape = read_train(tmp_path / "train", SimpleNamespace(**own, fold=fold), 2)
        assert train.image_ids.tolist() == rows[~left_out].tolist() and shape["n_classes"] == 3
        own_fold = held_out(tmp_path / "train", SimpleNamespace(**own, fold=folds[0]), 2, [fold])
        assert np.array_equal(own_fold[0], left_out[~unseen[0]])  # of the images that another fold is trained on
