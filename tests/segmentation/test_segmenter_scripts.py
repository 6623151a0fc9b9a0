"""The scripts of segmenters: rounds of training, doubtful masks, and what models make of them."""

import json

import numpy as np
import pytest
import torch
from small_mixing import SETTINGS
from small_training import BASELINE, files_of, run_script, train

from selfdoubt.data import masks
from selfdoubt.models import checkpoints
from selfdoubt.runtime import table_files
from selfdoubt.runtime.schemas.mask_quality import MASK_QUALITY_SCHEMA

SEGMENTER = {"architecture": "Unet", "encoder": "tu-regnetx_002", "encoder_depth": 2, "decoder_channels": [4, 2]}
SEGMENTER |= {"foreground_above": 0.5, "background_below": 0.49, "refinement_steps": 1, "epochs": 2, "batch_size": 8}
SEGMENTER |= {"learning_rate": 0.01, "threads": 1, "device": "cpu", "object_quantile": 0.5, "colour_steps": 1}
PREDICTED = {"device": "cpu", "threads": 1}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Splits, a teacher, and segmenters of one and of two rounds."""
    folder = tmp_path_factory.mktemp("segmenters")
    files = {"train": files_of(folder)["train"], "teacher": train(folder, "teacher")}
    for name, change in (("one", {}), ("two", {"rounds": 2}), ("again", {"rounds": 2})):
        made = {key: folder / f"{name}-{key}" for key in ("network", "pseudo-masks", "progress")}
        run_script("train_segmenter", None, SEGMENTER | change, **files, **made)
    return folder


def test_a_second_round_learns_from_the_first_and_repeats_itself(folder):
    one, two, again = (checkpoints.read(folder / f"{name}-network")[0] for name in ("one", "two", "again"))
    assert all(torch.equal(two[name], again[name]) for name in two)
    assert not all(torch.equal(two[name], one[name]) for name in two)
    pseudo = [masks.read_masks(folder / f"{name}-pseudo-masks") for name in ("one", "two")]
    assert (pseudo[0] != pseudo[1]).any()
    epochs = [json.loads(line) for line in (folder / "two-progress").read_text().splitlines()]
    assert epochs[0]["epochs"] == 4 and [line["epoch"] for line in epochs if "epoch" in line] == [0, 1, 2, 3]


def test_doubtful_masks_are_counted_and_their_images_stay_unmixed(folder):
    files = {"train": folder / "train", "network": folder / "one-network"}
    for name, change in (("plain", {}), ("all", {"min_confidence": 0.0}), ("none", {"min_confidence": 1.0})):
        run_script("segment_images", None, PREDICTED | change, **files, masks=folder / name)
    assert masks.read_confidence(folder / "plain") is None
    np.testing.assert_array_equal(masks.read_masks(folder / "plain"), masks.read_masks(folder / "none"))
    tables = {}
    for name in ("plain", "none"):
        made = {
            "masks": folder / name,
            "quality": folder / f"{name}.parquet",
            "pseudo_masks": folder / "one-pseudo-masks",
        }
        known = {"mask_truth": "none", "allowed_empty_or_full": 1.0}
        run_script("evaluate_masks", None, known, train=folder / "train", **made)
        rows = table_files.read_table(made["quality"], MASK_QUALITY_SCHEMA).to_pylist()
        tables[name] = {row["statistic"]: row["value"] for row in rows if row["stage"] == "mask"}
    assert tables["none"]["doubtful"] == 20 and "doubtful" not in tables["plain"]

    mixing = {"method": "mask-cutmix", "probability": 1.0, **SETTINGS["mask-cutmix"], "mask_control": "none"}
    models = {
        name: {"mixing": mixing | {"probability": p}} for name, p in (("all", 1.0), ("none", 1.0), ("unmixed", 0.0))
    }
    found = {}
    for name, own in models.items():
        files = {"script": "train_augmented", "masks": folder / ("plain" if name == "unmixed" else name)}
        path = train(folder, f"mixed-{name}", settings=BASELINE | own | {"masks": None}, **files)
        found[name] = checkpoints.read(path)[0]
    assert all(torch.equal(found["none"][name], found["unmixed"][name]) for name in found["none"])
    assert not all(torch.equal(found["all"][name], found["unmixed"][name]) for name in found["all"])
