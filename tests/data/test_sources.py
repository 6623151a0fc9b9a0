"""One's own folders and tables, what is wrong with them, and foreign sets."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from small_data import encode, load, load_ood, load_splits, write_cifar, write_folder

from selfdoubt.data import catalog, datasets
from selfdoubt.runtime import methods
from selfdoubt.runtime.errors import UserError

ROOT = Path(__file__).resolve().parents[2]


# ---- folders ----


def count_of(counts: list[dict], split: str, statistic: str, note: str | None = None) -> int:
    rows = [row for row in counts if (row["split"], row["statistic"], row["label"]) == (split, statistic, None)]
    return next(row["count"] for row in rows if note is None or note in row["note"])


@pytest.mark.parametrize("storage", ["arrays", "files"])
def test_a_folder_is_split_by_class_and_seed(tmp_path, storage):
    write_folder(tmp_path / "photos")
    splits, counts = load(f"folder:{tmp_path / 'photos'}", size_px=16, storage=storage)
    assert {name: len(split.labels) for name, split in splits.items()} == {"train": 21, "val": 3, "test": 6}
    seen = [(label, i) for split in splits.values() for label, i in zip(split.labels, split.image_ids, strict=True)]
    assert len({i for _, i in seen}) == 30 and all(label == i // 10 for label, i in seen)
    for name, split in splits.items():
        assert np.bincount(split.labels).tolist() == [len(split.labels) // 3] * 3
        assert np.abs(split.images[:][:, 0, 8, 8] - 80.0 * split.labels).max() < 5
        assert np.abs(split.images[:][:, 1, 8, 8] - 10.0 * (split.image_ids % 10)).max() < 5
        assert count_of(counts, name, "images") == len(split.labels)
    assert {row["class_name"] for row in counts if row["class_name"]} == {"ant", "bee", "cat"}
    again = load_splits(f"folder:{tmp_path / 'photos'}", size_px=16, storage=storage)
    other = load_splits(f"folder:{tmp_path / 'photos'}", size_px=16, storage=storage, split_seed=1)
    assert again["test"].image_ids.tolist() == splits["test"].image_ids.tolist() != other["test"].image_ids.tolist()


def test_files_and_arrays_are_the_same_data(tmp_path):
    write_folder(tmp_path)
    arrays = load_splits(f"folder:{tmp_path}", size_px=16)
    files = load_splits(f"folder:{tmp_path}", size_px=16, storage="files")
    for name, split in arrays.items():
        np.testing.assert_array_equal(split.images, files[name].images[:])
        np.testing.assert_array_equal(split.image_ids, files[name].image_ids)


@pytest.mark.parametrize("names", [("train", "val", "test"), ("Training", "valid", "TEST")])
def test_a_folder_with_splits_keeps_them(tmp_path, names):
    for split, n in zip(names, (6, 2, 3), strict=True):
        write_folder(tmp_path / split, n)
    splits = load_splits(f"folder:{tmp_path}", size_px=16)
    assert {name: len(split.labels) for name, split in splits.items()} == {"train": 18, "val": 6, "test": 9}


def test_masks_beside_a_folder_are_the_truth(tmp_path):
    write_folder(tmp_path, size=(20, 20))
    for path in sorted(tmp_path.glob("*/*")):
        mask = np.zeros((20, 20), np.uint8)
        mask[:10] = 255 if path.parent.name == "bee" else 1
        (tmp_path / "masks" / path.parent.name).mkdir(parents=True, exist_ok=True)
        Image.fromarray(mask).save(tmp_path / "masks" / path.parent.name / f"{path.stem}.png")
    split = load_splits(f"folder:{tmp_path}", size_px=10)["train"]
    truth = datasets.foreground(split, "given")
    assert truth.shape == (21, 10, 10) and truth[:, :5].all() and not truth[:, 5:].any()
    Image.new("L", (20, 20)).save(tmp_path / "ant/003.bmp")
    with pytest.raises(UserError, match=r"ant/003\.\w+ and ant/003\.\w+ would have the same mask"):
        load_splits(f"folder:{tmp_path}", size_px=10)
    (tmp_path / "ant/003.bmp").unlink()
    (tmp_path / "masks/ant/003.png").unlink()
    with pytest.raises(UserError, match=r"masks/ant/003\.png: the mask of ant/003\.png is missing"):
        load_splits(f"folder:{tmp_path}", size_px=10)


# ---- parquet ----


def test_the_hubs_layout_is_read(tmp_path):
    draw = np.random.default_rng(0)
    names = {"info": {"features": {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}}}
    for file, n in {"train-00000-of-00002": 12, "train-00001-of-00002": 8, "test-00000-of-00001": 6}.items():
        images = [encode(draw.integers(0, 256, (9, 9, 3)).astype(np.uint8)) for _ in range(n)]
        rows = [{"image": {"bytes": image, "path": "x.png"}, "label": i % 2} for i, image in enumerate(images)]
        table = pa.Table.from_pylist(rows).replace_schema_metadata({"huggingface": json.dumps(names)})
        pq.write_table(table, tmp_path / f"{file}.parquet")
    splits, counts = load(f"parquet:{tmp_path}")
    assert {name: len(split.labels) for name, split in splits.items()} == {"train": 18, "val": 2, "test": 6}
    assert {row["class_name"] for row in counts if row["class_name"]} == {"cat", "dog"}
    assert splits["test"].images.shape == (6, 3, 9, 9)


@pytest.mark.parametrize("labels", [[7, 3, 9], ["b", "a", "c"]])
def test_labels_become_rows_of_their_sorted_names(tmp_path, labels):
    images = [encode(np.full((4, 4), 8 * i, np.uint8)) for i in range(30)]
    table = pa.table({"image": images, "label": labels * 10})
    pq.write_table(table, tmp_path / "all.parquet")
    splits, counts = load(f"parquet:{tmp_path / 'all.parquet'}")
    rank = [sorted(labels).index(label) for label in labels]
    for split in splits.values():
        assert split.labels.tolist() == [rank[i % 3] for i in split.image_ids]
    assert [row["class_name"] for row in counts if row["class_name"]][:3] == [str(label) for label in sorted(labels)]


def test_a_label_that_train_lacks_is_refused(tmp_path):
    for split, labels in {"train": [0, 1], "test": [0, 2]}.items():
        images = [encode(np.zeros((4, 4), np.uint8))] * 2
        pq.write_table(pa.table({"image": images, "label": labels}), tmp_path / f"{split}.parquet")
    with pytest.raises(UserError, match=r"test\.parquet: label 2 is not in train"):
        load_splits(f"parquet:{tmp_path}")


# ---- bad data ----


def test_what_is_no_image_is_named_and_counted(tmp_path):
    write_folder(tmp_path)
    (tmp_path / "ant/002.jpg").write_bytes(b"")
    (tmp_path / "bee/004.jpg").write_bytes((tmp_path / "bee/006.jpg").read_bytes()[:300])
    with pytest.raises(
        UserError, match=r"ant/002\.jpg: cannot be decoded \(the file is empty\).* \(and 1 more\)"
    ) as fault:
        load_splits(f"folder:{tmp_path}", size_px=16)
    assert "\n" not in str(fault.value)
    with pytest.raises(UserError, match=r"ant/002\.jpg: cannot be decoded"):
        load_splits(f"folder:{tmp_path}", size_px=16, storage="files")


def test_other_modes_are_converted_and_counted(tmp_path):
    write_folder(tmp_path)
    Image.new("L", (20, 20), 99).save(tmp_path / "ant/001.png")
    Image.new("RGBA", (20, 20), (0, 0, 0, 0)).save(tmp_path / "ant/003.png")
    Image.fromarray(np.full((20, 20), 99 * 256 + 7, np.uint16)).save(tmp_path / "ant/005.png")
    splits, counts = load(f"folder:{tmp_path}", size_px=16, channels=3)
    values = {
        int(i): image[:, 8, 8].tolist() for s in splits.values() for i, image in zip(s.image_ids, s.images, strict=True)
    }
    assert values[1] == [99] * 3 and values[3] == [255] * 3 and values[5] == [99] * 3
    notes = {row["note"]: row["count"] for row in counts if row["statistic"] == "converted"}
    assert notes == {"L to RGB": 1, "RGBA to RGB": 1, "I;16 to RGB": 1}


def test_a_class_folder_without_images_is_refused(tmp_path):
    write_folder(tmp_path)
    (tmp_path / "dog").mkdir()
    (tmp_path / "dog/readme.txt").write_text("none yet")
    with pytest.raises(UserError, match="dog: a class folder without images"):
        load_splits(f"folder:{tmp_path}", size_px=16)


def test_a_class_that_a_split_lacks_is_refused(tmp_path):
    write_folder(tmp_path / "train", 5)
    write_folder(tmp_path / "val", 2, classes=("ant", "bee"))
    with pytest.raises(UserError, match="class 'cat' has no image in val"):
        load_splits(f"folder:{tmp_path}", size_px=16)
    write_folder(tmp_path / "one/ant", 1, classes=("a", "b"))
    with pytest.raises(UserError, match=r"class 'a' \(nor 1 more\) has no image in test"):
        load_splits(f"folder:{tmp_path / 'one/ant'}", size_px=16)


def test_a_class_that_train_lacks_is_refused(tmp_path):
    write_folder(tmp_path / "train", 5, classes=("ant", "bee"))
    write_folder(tmp_path / "test", 2)
    with pytest.raises(UserError, match="test/cat: a class absent from"):
        load_splits(f"folder:{tmp_path}", size_px=16)


def test_one_class_is_refused(tmp_path):
    write_folder(tmp_path, classes=("ant",))
    with pytest.raises(UserError, match=r"the data set has one class \('ant'\)"):
        load_splits(f"folder:{tmp_path}", size_px=16)


def test_duplicates_are_reported_and_stay(tmp_path):
    for split in ("train", "test"):
        write_folder(tmp_path / split, 6)
    splits, counts = load(f"folder:{tmp_path}", size_px=16)
    assert count_of(counts, "test", "duplicates", "of a training image") >= 12  # the rest are equal to those of val
    assert count_of(counts, "test", "duplicates", "of another") == 0
    assert len(splits["test"].labels) == 18


def test_ignored_files_are_reported(tmp_path):
    write_folder(tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "ant/Thumbs.db").write_bytes(b"x")
    (tmp_path / "ant/.DS_Store").write_bytes(b"x")
    rows = [row for row in load(f"folder:{tmp_path}", size_px=16)[1] if row["statistic"] == "ignored files"]
    notes = ["beside the class folders: notes.txt", "hidden: ant/.DS_Store", "not an image: ant/Thumbs.db"]
    assert [row["note"] for row in rows] == notes and {row["count"] for row in rows} == {1}


def test_a_link_out_of_the_root_is_refused(tmp_path):
    write_folder(tmp_path / "photos")
    Image.new("RGB", (9, 9)).save(tmp_path / "secret.png")
    (tmp_path / "photos/ant/999.png").symlink_to(tmp_path / "secret.png")
    with pytest.raises(UserError, match=r"999\.png: a link that leads out of"):
        load_splits(f"folder:{tmp_path / 'photos'}", size_px=16)


def test_images_of_several_sizes_need_a_size(tmp_path):
    write_folder(tmp_path, size=(20, 20))
    Image.new("RGB", (20, 22)).save(tmp_path / "cat/001.png")
    with pytest.raises(UserError, match=r"cat/001\.png: of 20 x 22 px, the first of 20 x 20"):
        load_splits(f"folder:{tmp_path}")


def test_too_much_for_memory_is_refused_before_it_is_read(tmp_path):
    write_folder(tmp_path)
    with pytest.raises(UserError, match=r"30 images of 100 px take 0\.0009 GB in memory, max_gb is 0\.0001"):
        load_splits(f"folder:{tmp_path}", size_px=100, max_gb=0.0001)


# ---- out of distribution ----


@pytest.mark.parametrize(("channels", "size_px"), [(1, 28), (3, 32)])
def test_digits_take_the_shape_of_the_data_set(channels, size_px):
    digits = load_ood("sklearn:digits", channels, size_px)
    assert digits.images.shape == (1_797, channels, size_px, size_px)
    assert digits.images.dtype == np.uint8 and digits.images.flags.c_contiguous
    assert set(digits.labels.tolist()) == {-1}
    assert digits.image_ids.tolist() == list(range(1_797))
    assert (digits.images == digits.images[:, :1]).all()  # grey: all channels alike


def test_digits_at_their_own_size_are_rescaled_only():
    from sklearn.datasets import load_digits

    images = load_ood("sklearn:digits", 1, 8).images[:, 0]
    assert (images.min(), images.max()) == (0, 255)
    # 16 -> 255, so a value v is v * 255 / 16, at most half a step from its rounding
    assert np.abs(images - load_digits().images * 255 / 16).max() <= 0.5


def test_any_data_set_is_a_foreign_one_for_another(tmp_path):
    write_folder(tmp_path)
    found = load_ood(f"folder:{tmp_path}", channels=1, size_px=8, n_images=12)
    assert found.images.shape == (12, 1, 8, 8) and set(found.labels.tolist()) == {-1}
    assert found.ood_classes.tolist() == (found.image_ids // 10).tolist()
    write_cifar(tmp_path / "cifar")
    test = load_ood(f"cifar10:{tmp_path / 'cifar'}", channels=1, size_px=28)
    assert test.images.shape == (10, 1, 28, 28) and test.ood_classes.tolist() == list(range(10))
    assert len(load_ood(f"cifar10:{tmp_path / 'cifar'}", 3, 32, split="train").labels) == 100


def test_foreign_images_are_drawn_from_the_whole_set(tmp_path):
    write_folder(tmp_path)
    found = load_ood(f"folder:{tmp_path}", channels=1, size_px=8, n_images=12).image_ids.tolist()
    assert found == sorted(set(found)) and min(found) < 10 and max(found) >= 20  # of the first class and of the last


def test_a_bare_folder_of_images_is_a_foreign_set(tmp_path):
    for i in range(4):
        Image.new("RGB", (30, 20), (0, 60 * i, 0)).save(tmp_path / f"{i}.png")
    assert load_ood(f"folder:{tmp_path}", 3, 8).images[:, 1, 4, 4].tolist() == [0, 60, 120, 180]


def test_importing_sources_and_corruptions_is_light():
    """Jobs import the modules of `settings.sources` too, so those must be without pydantic."""
    program = (
        "import importlib, json, sys, selfdoubt.data.catalog, selfdoubt.data.corrupted, selfdoubt.data.shifted\n"
        "from selfdoubt.runtime import methods\n"
        "for folder in ('data.sources', 'data.corruptions', 'data.shifts'):\n"
        "    assert [methods.load(folder, name) for name in methods.names_in(folder)]\n"
        "print(json.dumps(list(sys.modules)))"
    )
    environment = {"PYTHONPATH": str(ROOT / "workflow_scripts")}
    run = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert not {"torch", "sklearn", "pandas", "timm", "pydantic"} & set(json.loads(run.stdout))


def test_every_source_and_published_format_has_settings_of_its_name():
    for kind in ("sources", "shifts"):
        assert methods.names_in(f"data.{kind}") == methods.names_in(f"settings.{kind}")


def test_an_ood_set_that_takes_more_memory_than_allowed_is_refused():
    with pytest.raises(UserError, match=r"1797 images of 8 px take .* max_gb is 0\.0001; set n_images"):
        load_ood("sklearn:digits", 1, 8, max_gb=1e-4)
    assert len(load_ood("sklearn:digits", 1, 8, n_images=1000, max_gb=1e-4).labels) == 1000


@pytest.mark.parametrize(
    ("source", "known"),
    [
        ("folder:/home/me/photos", "folder"),
        ("cifar10:/data/cifar", "cifar10"),
        ("cifar10", "cifar10"),
        ("embedded:fashion-mnist-12k", "embedded:fashion-mnist-12k"),
        ("sklearn:digits", "sklearn:digits"),
        ("fashion-scenes", "fashion-scenes"),
        ("fashion-scenes:fashion-mnist:/data/fashion", "fashion-scenes:fashion-mnist"),
    ],
)
def test_where_files_are_kept_is_no_part_of_a_result(source, known):
    assert catalog.without_path(source) == known
