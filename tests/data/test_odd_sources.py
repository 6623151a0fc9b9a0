"""Folders and tables as people have them: read as they are meant, or refused in one line that names the file."""

import json
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from small_data import encode, load, load_ood, load_splits, write_folder

from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.catalog import settings_of
from selfdoubt.settings.source_files import Folders
from selfdoubt.settings.sources.parquet import files_by_split


def class_names(counts: list[dict]) -> list[str]:
    return sorted({row["class_name"] for row in counts if row["class_name"]})


# ---- folders ----


def test_images_are_known_by_content_where_their_suffix_is_not(tmp_path):
    write_folder(tmp_path)
    for i, path in enumerate(sorted(tmp_path.glob("*/*.jpg"))):
        path.rename(path.with_suffix((".jfif", ".JPE", ".dat", "")[i % 4]))
    splits = load_splits(f"folder:{tmp_path}", size_px=16)
    assert sum(len(split.labels) for split in splits.values()) == 30


def test_an_accent_is_the_same_letter_as_one_code_point_or_two(tmp_path):
    one, two = "caf\u00e9", "cafe\u0301"
    write_folder(tmp_path / "train", 6, classes=("ant", one))
    write_folder(tmp_path / "test", 2, classes=("ant", two))
    splits, counts = load(f"folder:{tmp_path}", size_px=16)
    assert class_names(counts) == ["ant", one] and np.bincount(splits["test"].labels).tolist() == [2, 2]
    (tmp_path / "train/ant/000.jpg").rename(tmp_path / f"train/ant/{one}.jpg")
    for path in sorted(tmp_path.glob("t*/*/*.*")):
        mask = tmp_path / "masks" / path.relative_to(tmp_path).with_suffix(".png")
        mask.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (20, 30), 1).save(str(mask).replace(one + ".png", two + ".png"))
    assert load_splits(f"folder:{tmp_path}", size_px=16)["train"].masks.all()


def test_a_file_name_that_is_not_utf8_is_refused(tmp_path):
    write_folder(tmp_path)
    (tmp_path / "ant/000.jpg").rename(tmp_path / "ant" / os.fsdecode(b"\xe9.jpg"))
    with pytest.raises(UserError, match=r"ant/\\udce9\.jpg: a name that is not UTF-8"):
        load(f"folder:{tmp_path}", size_px=16)


# ---- masks ----


@pytest.mark.parametrize("storage", ["arrays", "files"])
def test_a_mask_must_have_the_shape_of_its_upright_image(tmp_path, storage):
    sideways = Image.Exif()
    sideways[0x0112] = 6
    write_folder(tmp_path, size=(20, 30))
    for path in sorted(tmp_path.glob("*/*.jpg")):
        Image.open(path).resize((30, 20)).save(path, exif=sideways)  # stored lying, shown standing
    for path in sorted(tmp_path.glob("*/*.*")):
        mask = tmp_path / "masks" / path.relative_to(tmp_path).with_suffix(".png")
        mask.parent.mkdir(parents=True, exist_ok=True)
        Image.new("I;16", (20, 30), 7).save(mask)
    assert load_splits(f"folder:{tmp_path}", size_px=16, storage=storage)["train"].masks.all()
    Image.new("L", (30, 20), 1).save(tmp_path / "masks/ant/000.png")
    with pytest.raises(UserError, match=r"masks/ant/000\.png: a mask of 30 x 20 px for an image of 20 x 30"):
        load(f"folder:{tmp_path}", size_px=16, storage=storage)


# ---- tables ----


NOT_UTF8 = pa.Array.from_buffers(pa.string(), 20, [*pa.array(["ab"] * 20).buffers()[:2], pa.py_buffer(b"\xff" * 40)])


def write_table(path: Path, labels, n: int = 20, metadata=None, **columns) -> None:
    images = [encode(np.full((8, 8), 12 * i, np.uint8)) for i in range(n)]
    many = [labels[i % len(labels)] for i in range(n)] if isinstance(labels, list) else labels
    table = pa.table({"image": images, "label": many} | columns)
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table.replace_schema_metadata(metadata), path)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("validation.parquet", "dev.parquet"),
        ("validation_matched.parquet", "validation_mismatched.parquet"),
        ("test-a/0.parquet", "test-b/0.parquet"),
        ("test.parquet", "testing/00000.parquet"),
    ],
)
def test_two_sets_of_one_split_are_not_pooled(tmp_path, one, other):
    for name in ("train.parquet", one, other):
        write_table(tmp_path / name, [0, 1])
    with pytest.raises(UserError, match=r"are both (val|test); join them"):
        files_by_split(str(tmp_path))


@pytest.mark.parametrize(
    "names",
    [
        ["test-00000-of-00002.parquet", "test-00001-of-00002.parquet"],
        ["test-00000-of-00002-3fae.parquet", "test-00001-of-00002-bcde.parquet"],
        ["test/one.parquet", "test/other.parquet"],
        ["test0.parquet", "test_1.parquet"],
        ["a/test.parquet", "b/test-0.parquet"],  # configurations, which are pooled and named elsewhere
    ],
)
def test_parts_of_one_set_are_pooled(tmp_path, names):
    for name in ("train-a.parquet", "train-b.parquet", *names):
        write_table(tmp_path / name, [0, 1])
    assert len(files_by_split(str(tmp_path))[0]["test"]) == 2


@pytest.mark.parametrize(
    ("name", "empty", "value"),
    [
        ("image_id", pa.array([None] * 20, pa.int64()), 7),
        ("image_id", pa.nulls(20), 7),
        ("mask", pa.array([None] * 20, pa.binary()), encode(np.ones((8, 8), np.uint8))),
        ("mask", pa.nulls(20), encode(np.ones((8, 8), np.uint8))),
        ("mask", pa.array([{"bytes": None}] * 20, pa.struct({"bytes": pa.binary()})), None),
    ],
)
def test_an_optional_column_without_values_is_ignored_and_one_with_some_is_refused(
    tmp_path, name, empty, value, capsys
):
    write_table(tmp_path / "train.parquet", [0, 1], **{name: empty})
    split = load_splits(f"parquet:{tmp_path}")["train"]
    assert split.masks is None and len(split.labels) and f"'{name}' is null in every row" in capsys.readouterr().out
    if value is not None:
        write_table(tmp_path / "train.parquet", [0, 1], **{name: pa.array([value] + [None] * 19)})
        with pytest.raises(UserError, match=rf"column '{name}': 19 of 20 rows are null"):
            load(f"parquet:{tmp_path}")


@pytest.mark.parametrize(
    "text",
    [
        *(json.dumps({"info": {"features": features}}) for features in (None, {"label": None})),
        json.dumps({"info": {"features": {"label": {"names": None}}}}),
        json.dumps({"info": {"features": {"label": {"names": {"0": "x"}}}}}),
        json.dumps({"info": None}),
        json.dumps({"info": {"features": {"label": {"names": ["\ud800", "x"]}}}}),  # which no file can hold
        "[" * 100_000,
        "[]",
        "no JSON",
        b"\xff",
    ],
)
def test_metadata_of_another_form_is_ignored_with_a_note(tmp_path, text, capsys):
    write_table(tmp_path / "train.parquet", [0, 1], metadata={"huggingface": text})
    assert class_names(load(f"parquet:{tmp_path}")[1]) == ["0", "1"]
    assert "train.parquet: its metadata cannot be read" in capsys.readouterr().out


def named(*names: str) -> dict:
    return {"huggingface": json.dumps({"info": {"features": {"label": {"names": names}}}})}


def test_labels_without_a_name_are_their_own(tmp_path):
    write_table(tmp_path / "train.parquet", [-1, 0, 1, 2], metadata=named("x", "y"))
    assert class_names(load(f"parquet:{tmp_path}")[1]) == ["-1", "2", "x", "y"]


def test_files_that_name_their_classes_differently_are_refused(tmp_path):
    write_table(tmp_path / "train.parquet", [0, 1], metadata=named("x", "y"))
    write_table(tmp_path / "test.parquet", [0, 1], metadata=named("y", "x"))
    with pytest.raises(UserError, match=r"test\.parquet: its metadata has other names of classes"):
        load(f"parquet:{tmp_path}")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"label": pa.array([2**63, 2**63 + 1] * 10, pa.uint64())}, "column 'label': Integer value .* not in range"),
        ({"label": pa.array([[1], [2]] * 10)}, "column 'label': labels are list"),
        ({"label": NOT_UTF8}, "column 'label': "),
        ({"mask": ["a"] * 20}, "column 'mask': images are string"),
        ({"image": [{"bytes": None, "path": "x.png"}] * 20}, "column 'image': "),
    ],
)
def test_a_column_of_the_wrong_kind_is_named(tmp_path, columns, message):
    write_table(tmp_path / "train.parquet", columns.get("label", [0, 1]), **columns)
    with pytest.raises(UserError, match=rf"train\.parquet: {message}") as fault:
        load(f"parquet:{tmp_path}")
    assert "\n" not in str(fault.value)


@pytest.mark.parametrize("ids", [["a"] * 20, [0] * 20, [2**40 + i for i in range(20)]])
def test_ids_that_identify_nothing_are_ignored_with_a_note(tmp_path, ids, capsys):
    write_table(tmp_path / "train.parquet", [0, 1], image_id=ids)
    assert load_ood(f"parquet:{tmp_path}", 1, 8).image_ids.tolist() == list(range(20))
    assert "image_id holds no integers" in capsys.readouterr().out


def test_hidden_tables_are_ignored_and_counted(tmp_path):
    write_table(tmp_path / "train.parquet", [0, 1])
    write_table(tmp_path / ".cache/train.parquet", [0, 1])
    (tmp_path / "._train.parquet").write_bytes(b"\0")
    splits, counts = load(f"parquet:{tmp_path}")
    assert sum(len(split.labels) for split in splits.values()) == 20
    assert [row["note"] for row in counts if row["statistic"] == "ignored files"] == ["hidden: ._train.parquet, .cache"]


# ---- configurations of the hub, in one folder ----


@pytest.mark.parametrize("place", ["{config}/{split}/0000.parquet", "{split}/{config}/0000.parquet"])
def test_alike_configurations_are_pooled_and_counted(tmp_path, place):
    for config in ("blurred", "sharp"):
        for split in ("train", "test"):
            write_table(tmp_path / place.format(config=config, split=split), [0, 1])
    splits, counts = load(f"parquet:{tmp_path}")
    assert len(splits["test"].labels) == 40
    assert [(r["count"], r["note"]) for r in counts if r["statistic"] == "configurations"] == [
        (2, "pooled: blurred, sharp")
    ]


def test_one_configuration_is_none_to_speak_of(tmp_path):
    for name in ("data/train-00000-of-00002", "data/train-00001-of-00002", "data/test-00000-of-00001"):
        write_table(tmp_path / f"{name}.parquet", [0, 1])
    assert "configurations" not in {row["statistic"] for row in load(f"parquet:{tmp_path}")[1]}


@pytest.mark.parametrize("column", ["label", "labels", "fine_label"])
@pytest.mark.parametrize("other", ["test", "train-00001"])
def test_labels_of_two_kinds_are_refused_by_file_and_column(tmp_path, column, other):
    write_table(tmp_path / "train-00000.parquet", ["ant", "bee"])
    write_table(tmp_path / f"{other}.parquet", [0, 1])
    table = pq.read_table(tmp_path / f"{other}.parquet").rename_columns(["image", column])
    pq.write_table(table, tmp_path / f"{other}.parquet")
    with pytest.raises(
        UserError, match=rf"{other}\.parquet: column '{column}': labels are int64, but string in .*00000"
    ):
        load(f"parquet:{tmp_path}")


@pytest.mark.parametrize(
    ("labels", "more", "message"),
    [
        ([0, 1, 2], {}, "classes of a and b differ, such as 2;"),
        (["x", "y"], {}, "classes of a and b differ, such as 0, 1, x;"),
        ([0, 1], {"mask": [b"x"] * 20}, "columns of a and b differ, such as mask;"),
    ],
)
def test_configurations_that_differ_are_refused(tmp_path, labels, more, message):
    write_table(tmp_path / "a/train.parquet", [0, 1])
    write_table(tmp_path / "b/train.parquet", labels, **more)
    with pytest.raises(UserError, match=rf"b/train\.parquet: {message} give the folder of one"):
        load(f"parquet:{tmp_path}")


@pytest.mark.parametrize("source", ["parquet", "folder", "imagenet", "tiny-imagenet", "cifar10"])
def test_a_home_of_nobody_is_a_line_with_the_remedy(source):
    place = "~nobody-of-this-name/images"
    with pytest.raises(UserError, match="write the whole path"):
        settings_of(source).files_of(place, Folders(Path(), Path()))
