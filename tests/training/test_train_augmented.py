"""Training on mixed images: which masks reach the images, and how."""

import dataclasses
import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from small_mixing import BY_MASKS, SETTINGS
from small_training import BASELINE, split_of, train

from selfdoubt.data import datasets, masks
from selfdoubt.mixing.masks import control as control_masks
from selfdoubt.models import checkpoints


def settings(method: str, given: str | None = None, **values) -> dict:
    control = {"mask_control": "none"} if method in BY_MASKS else {}
    mixing = {"method": method, "probability": 1.0, **SETTINGS[method], **control, **values}
    return BASELINE | {"mixing": mixing, "masks": given}


def shapes(n: int = 20) -> np.ndarray:
    """A block of 6 x 6 pixels, at another place in each image."""
    found = np.zeros((n, 16, 16), bool)
    for i in range(n):
        found[i, i // 2 : i // 2 + 6, i % 7 : i % 7 + 6] = True
    return found


def trained(folder: Path, name: str, method="mask-cutmix", given=None, **values) -> dict[str, torch.Tensor]:
    """The weights of a training with the masks that came with the images, or with a segmenter's."""
    folder.mkdir(exist_ok=True)
    datasets.write_splits(folder / "train", {"train": dataclasses.replace(split_of(), masks=shapes())}, {})
    files = {"masks": folder / "masks"} if method in BY_MASKS and given is None else {}
    masks.write_masks(folder / "masks", values.pop("found", shapes()), {})
    path = train(folder, name, settings=settings(method, given, **values), script="train_augmented", **files)
    return checkpoints.read(path)[0]


def same(one: dict, other: dict) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("method", SETTINGS)
def test_every_method_trains_and_repeats_itself(tmp_path, method):
    assert same(trained(tmp_path, "a", method), trained(tmp_path, "b", method))


def test_clean_images_may_be_learned_besides(tmp_path):
    weights = [
        trained(tmp_path, str(eta), "cutmix", **({"also_clean": eta} if eta else {})) for eta in (None, 1.0, 2.0)
    ]
    assert not any(same(one, other) for one, other in itertools.combinations(weights, 2))


@pytest.mark.parametrize("method", BY_MASKS)
def test_masks_of_the_data_set_stand_in_for_a_segmenter_s(tmp_path, method):
    by_segmenter, given = trained(tmp_path, "a", method), trained(tmp_path, "b", method, given="given")
    assert same(by_segmenter, given)
    assert not same(given, trained(tmp_path, "c", method, found=~shapes()))


@pytest.mark.parametrize("control", ["permuted", "boxes"])
def test_a_control_changes_the_masks_and_nothing_else(tmp_path, control):
    found = shapes() & (np.random.default_rng(0).random(shapes().shape) < 0.7)
    controlled = trained(tmp_path, "a", found=found, mask_control=control)
    assert same(controlled, trained(tmp_path, "b", found=control_masks(found, control, 1)))
    assert not same(controlled, trained(tmp_path, "c", found=found))


def test_a_data_set_without_masks_is_refused(tmp_path):
    with pytest.raises(SystemExit, match=r"^train_augmented: masks: given, .*mask_truth"):
        train(tmp_path, settings=settings("mask-cutmix", "given"), script="train_augmented")
