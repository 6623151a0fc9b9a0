"""Examples of mixed images: the pairs of a training, as its views show them, and what becomes of them."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from small_mixing import BY_MASKS, SETTINGS, settings_of
from small_training import CPU, recipe_of, run_script

from selfdoubt.data import datasets
from selfdoubt.data.datasets import Split
from selfdoubt.data.image_files import ImageFiles
from selfdoubt.mixing.mixer import Mixer
from selfdoubt.runtime import tensor_files
from selfdoubt.runtime.errors import UserError
from selfdoubt.segmentation.mixed_examples import examples
from selfdoubt.training.batches import Stream

MOVED = SimpleNamespace(shift_px=1, crop=None, flip=True)
N = 40


def split() -> Split:
    """Images of five classes, and in each a block that is its object."""
    draws = np.random.default_rng(1)
    masks = np.zeros((N, 12, 12), bool)
    for mask in masks:
        top, left = draws.integers(1, 6, 2)
        mask[top : top + 4, left : left + 5] = True
    images = draws.integers(1, 256, (N, 3, 12, 12), np.uint8)
    return Split(images, np.arange(N) % 5, np.arange(N, dtype=np.int32), masks=masks)


def mixer_of(method: str, **values) -> Mixer:
    return Mixer(settings_of(method, **values), split().masks if method in BY_MASKS else None)


@pytest.mark.parametrize("method", SETTINGS)
def test_they_are_the_first_mixed_images_of_training(method):
    own, images = split(), recipe_of(shift_px=1, flip=True, batch_size=N)
    [clean] = Stream(own, images, 1, CPU).epoch(0)
    [batch] = Stream(own, images, 1, CPU, mixer_of(method, probability=1.0)).epoch(0)
    found = examples(own, mixer_of(method, probability=0.01, also_clean=1.0), MOVED, 1, 6)
    place = {position: row for row, position in enumerate(batch.positions.tolist())}
    partner = mixer_of(method).draw(1, 0, (N, 12, 12)).partner.numpy()
    rows = np.flatnonzero(own.labels != own.labels[partner])[:6]
    assert found["labels"].tolist() == np.stack([own.labels[rows], own.labels[partner[rows]]], 1).tolist()
    for i, row in enumerate(rows):
        of = place[row]
        assert np.abs(found["mixed"][i] - 255 * batch.images[of].numpy()).max() <= 0.501
        assert found["weight"][i, 0] == pytest.approx(batch.weight[of].flatten()[0].item())
        assert np.array_equal(found["target"][i], (255 * clean.images[of]).round().numpy())
        assert np.array_equal(found["source"][i], (255 * clean.images[place[partner[row]]]).round().numpy())
    assert ("target_mask" in found) == (method in BY_MASKS)
    assert {name: each.dtype.name for name, each in found.items() if "mask" not in name} == {
        **dict.fromkeys(("target", "source", "mixed"), "uint8"),
        "labels": "int64",
        "weight": "float32",
    }


def test_masks_follow_the_views():
    bright = replace(split(), images=np.where(split().masks[:, None], 255, 1).astype(np.uint8))
    found = examples(bright, mixer_of("oa-cutmix"), MOVED, 1, 8)
    for name in ("target", "source"):
        assert np.array_equal(found[f"{name}_mask"], found[name][:, 0] == 255) and found[f"{name}_mask"].any()


def test_part_of_a_label_may_be_no_classs():
    visible = examples(split(), mixer_of("oa-cutmix", labels="visible-fraction"), MOVED, 1, 8)
    assert (visible["weight"][:, 1] < 1).any()
    assert (examples(split(), mixer_of("cutmix"), MOVED, 1, 8)["weight"][:, 1] == 1).all()


def test_pairs_that_are_left_unmixed_are_no_examples():
    doubtful = np.arange(N) < 30
    drawn = mixer_of("oa-cutmix").draw(1, 0, (N, 12, 12)).partner.numpy()
    mixed = ~doubtful & ~doubtful[drawn] & (split().labels != split().labels[drawn])
    found = examples(split(), replace(mixer_of("oa-cutmix"), doubtful=doubtful), MOVED, 1, 8)
    assert len(found["mixed"]) == mixed.sum() < 8 and found["labels"][:, 0].tolist() == split().labels[mixed].tolist()
    assert len(examples(split(), replace(mixer_of("oa-cutmix"), doubtful=doubtful | True), MOVED, 1, 8)["weight"]) == 0


def test_images_in_files_are_refused(tmp_path):
    images = ImageFiles(tmp_path, ["a.png"], 3, 12)
    with pytest.raises(UserError, match="mixed-examples: needs images in memory"):
        examples(replace(split(), images=images), None, None, 1, 8)


def test_the_script_writes_them_with_their_masks(tmp_path):
    datasets.write_splits(tmp_path / "train", {"train": split()}, {})
    mixing = vars(settings_of("oa-cutmix", mask_control="none")) | {"probability": 0.5}
    settings = {"mixing": mixing, "mask_truth": "given", "masks": "given", **vars(MOVED)}
    run_script("show_mixing", 1, settings, train=tmp_path / "train", output=tmp_path / "found")
    found, _ = tensor_files.read(tmp_path / "found", "examples")
    expected = examples(split(), mixer_of("oa-cutmix"), MOVED, 1, 8)
    assert {*found} == {*expected} and all(np.array_equal(found[name], expected[name]) for name in expected)
