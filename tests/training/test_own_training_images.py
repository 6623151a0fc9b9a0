"""A replicate's own training images: every job trains as if there were no others."""

import numpy as np
import pytest
import torch
from small_mixing import SETTINGS
from small_training import BASELINE, RECIPE, STUDENT, files_of, run_script, split_of, train

from selfdoubt.data import datasets, masks
from selfdoubt.data.own_images import positions
from selfdoubt.models import checkpoints
from selfdoubt.runtime import table_files

OWN = {"own_images": {"kind": "disjoint", "n_images": 8}}
VIEWS = {name: RECIPE[name] for name in ("epochs", "batch_size", "shift_px", "crop", "flip", "n_workers", "precision")}
VIEWS |= {"device": "cpu", "threads": 1, "top_k": None, "max_gb": None}
SEGMENTER = {"architecture": "Unet", "encoder": "tu-regnetx_002", "encoder_depth": 2, "decoder_channels": [4, 2]}
SEGMENTER |= {"foreground_above": 0.5, "background_below": 0.15, "refinement_steps": 1, "epochs": 1, "batch_size": 8}
SEGMENTER |= {"learning_rate": 0.01, "threads": 1, "device": "cpu"}


def rows(replicate: int) -> np.ndarray:
    return positions(split_of().labels, replicate, **OWN["own_images"])


@pytest.fixture
def folders(tmp_path):
    """A folder with the whole split, and one with what the second replicate has of it."""
    files_of(tmp_path / "whole")
    (tmp_path / "part").mkdir()
    datasets.write_splits(tmp_path / "part/train", {"train": datasets.take(split_of(), rows(2))}, {})
    return tmp_path / "whole", tmp_path / "part"


def assert_alike(one, other) -> None:
    one, other = checkpoints.read(one)[0], checkpoints.read(other)[0]
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_training_is_that_of_its_own_images_alone(folders):
    whole, part = folders
    own = train(whole, seed=2, settings=BASELINE | OWN)
    assert_alike(own, train(part, seed=2))
    other, every = train(whole, "b", seed=1, settings=BASELINE | OWN), train(whole, "c", seed=2)
    heads = [checkpoints.read(path)[0]["mean"].item() for path in (own, other, every)]
    assert len(set(heads)) == 3  # the normalisation is that of the images, too


def test_messages_are_trained_on_the_replicates_images(folders):
    whole, part = folders
    members = [train(whole, name, seed=2, settings=BASELINE | OWN) for name in ("a", "b")]
    message = {"method": "trained-messages", "sender": "a", "listener": "b", "reads": "features", "channel": "message"}
    message |= {"shuffled": False, "epsilon_255": 16, "width": 2, "epochs": 1, "batch_size": 8, "learning_rate": 0.01}
    message |= {
        "n_folds": 2,
        "contested_below": 0.9,
        "members": ["a", "b"],
        "computing": {"device": "cpu", "threads": 1},
    }
    datasets.write_splits(whole / "test", {"test": split_of(10, seed=3)}, {})
    found = []
    for folder, own in ((whole, OWN), (part, {})):
        written = {name: folder / f"{name}.parquet" for name in ("output", "persuasion", "gains")}
        files = {"members": members, "train": folder / "train", "val": whole / "val", "test": whole / "test"}
        run_script("communicate", 2, message | own, **files, **written)
        found.append(table_files.read_table(written["output"]).to_pylist())
    assert found[0] == found[1] and {row["split"] for row in found[0]} == {"val", "test"}


def test_a_class_without_an_image_is_still_a_class(tmp_path):
    settings = BASELINE | {"own_images": {"kind": "disjoint", "n_images": 2}, "recipe": RECIPE | {"batch_size": 2}}
    assert checkpoints.read(train(tmp_path, settings=settings))[1]["shape"]["n_classes"] == 3


def test_soft_labels_are_those_of_the_replicates_images(folders):
    whole, part = folders
    teacher = train(whole, "teacher", seed=2, settings=BASELINE | OWN)
    files = {"train": whole / "train", "teacher": teacher, "output": whole / "soft.arrow"}
    run_script("precompute_soft_labels", 2, VIEWS | OWN, **files)
    settings = {"settings": STUDENT | OWN, "script": "distill_student", "seed": 2, "teacher": teacher}
    stored = train(whole, "stored", soft_labels=whole / "soft.arrow", **settings)
    assert_alike(stored, train(whole, "online", **settings))
    assert_alike(stored, train(part, "alone", **settings | {"settings": STUDENT}))


def test_a_fixed_view_is_of_the_replicates_images(folders):
    whole, part = folders
    fixed = {"script": "distill_student", "seed": 2, "teacher": train(whole, "teacher")}
    own = train(whole, settings=STUDENT | OWN | {"teacher_view": "fixed"}, **fixed)
    assert_alike(own, train(part, settings=STUDENT | {"teacher_view": "fixed"}, **fixed))


def test_masks_are_made_of_and_for_the_replicates_images(folders):
    whole, part = folders
    teacher = train(whole, "teacher", seed=2, settings=BASELINE | OWN)
    found = {}
    for folder, own in ((whole, OWN | {"replicate": 2}), (part, {"replicate": 2})):
        made = {name: folder / name for name in ("network", "pseudo-masks", "masks")}
        files = {"train": folder / "train", "network": made["network"]}
        run_script(
            "train_segmenter", None, SEGMENTER | own, teacher=teacher, **files, pseudo_masks=made["pseudo-masks"]
        )
        run_script("segment_images", None, {"device": "cpu", "threads": 1} | own, **files, masks=made["masks"])
        found[folder] = [masks.read_masks(made[name]) for name in ("pseudo-masks", "masks")]
    for one, other in zip(*found.values(), strict=True):
        assert one.shape == (8, 16, 16) and np.array_equal(one, other)
    mixing = {"method": "mask-cutmix", "probability": 1.0, **SETTINGS["mask-cutmix"], "mask_control": "none"}
    settings = BASELINE | {"mixing": mixing, "masks": None}
    mixed = {"script": "train_augmented", "seed": 2}
    own = train(whole, "mixed", settings=settings | OWN, masks=whole / "masks", **mixed)
    assert_alike(own, train(part, "mixed", settings=settings, masks=part / "masks", **mixed))


def test_more_replicates_than_there_are_images_for_end_in_one_line(tmp_path):
    message = r"^train_on_labels: datasets: train_images_per_replicate: 20 training images give 2 replicates of 8"
    with pytest.raises(SystemExit, match=message):
        train(tmp_path, seed=3, settings=BASELINE | OWN)
