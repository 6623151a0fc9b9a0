"""A digest of what a split holds."""

import re
from dataclasses import replace

import numpy as np
import pytest
from copies import ROOT

from selfdoubt.data import catalog, content, datasets
from selfdoubt.data.datasets import Split
from selfdoubt.data.image_files import ImageFiles
from selfdoubt.settings.data import Dataset
from selfdoubt.settings.source_files import Folders

SPLIT = Split(np.arange(24, dtype=np.uint8).reshape(3, 2, 2, 2), np.array([0, 1, 1]), np.array([4, 5, 6], np.int32))


def test_the_embedded_images_have_the_digests_that_their_page_states():
    page = (ROOT / "resources/fashion-mnist-12k/README.md").read_text()
    stated = {name: sha for sha, name in re.findall(r"([0-9a-f]{64})  (\w+): image_id, label and pixels", page)}
    splits, _ = catalog.load(Dataset(source="embedded:fashion-mnist-12k"), Folders(ROOT / "resources", ROOT))
    assert {name: content.digest(split) for name, split in splits.items()} == stated


@pytest.mark.parametrize("changed", ["images", "labels", "image_ids"])
def test_one_value_changes_the_digest_and_a_mask_does_not(changed):
    other = getattr(SPLIT, changed).copy()
    other.flat[-1] += 1
    assert content.digest(replace(SPLIT, **{changed: other})) != content.digest(SPLIT)
    assert content.digest(replace(SPLIT, masks=np.ones((3, 2, 2), bool))) == content.digest(SPLIT)


def test_many_classes_have_room():
    labels = [np.array([0, 1, top]) for top in (127, 128, 383)]
    assert len({content.digest(replace(SPLIT, labels=each)) for each in labels}) == 3


def test_of_images_in_files_the_names_count(tmp_path):
    files = [ImageFiles(tmp_path, names, 1, 2) for names in (["a", "b", "c"], ["a", "b", "d"])]
    rows = [content.row("toys", "train", replace(SPLIT, images=each)) for each in files]
    assert rows[0]["sha256"] != rows[1]["sha256"] and {row["of"] for row in rows} == {"names"}
    assert content.row("toys", "val", SPLIT) == {
        "dataset": "toys", "split": "val", "n": 3, "sha256": content.digest(SPLIT), "of": "pixels",
    }  # fmt: skip


def test_the_digest_outlives_the_file_format(tmp_path):
    datasets.write_splits(tmp_path / "a", {"train": SPLIT}, {"some": "metadata"})
    assert content.digest(datasets.read_split(tmp_path / "a", "train")) == content.digest(SPLIT)
