"""Labels that several people gave: read beside the images, kept with them, learned from, and measured by."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_data import encode, load_splits, write_folder
from small_training import BASELINE, files_of, run_script, split_of

from selfdoubt.data import catalog, datasets, label_probabilities
from selfdoubt.external import people
from selfdoubt.runtime.errors import UserError
from selfdoubt.settings import catalog as settings_catalog

CLASSES = ("ant", "bee", "cat")


def counts_of(root, suffix: str = "csv", leave_out: str = "", **columns) -> None:
    """Write counts beside the images of a folder: 8 for the class, the last digit of the name for the next class."""
    names = sorted(str(path.relative_to(root)) for path in root.rglob("*.*") if path.suffix in (".png", ".jpg"))
    names = [name for name in names if name != leave_out][::-1]  # in another order than the images
    table = {"file": names}
    for k, own in enumerate(CLASSES):
        after = CLASSES[k - 1]
        table[own] = [8 if f"{own}/" in n else int(n[-5]) if f"{after}/" in n else 0 for n in names]
    table = pa.table(table | columns)
    path = root / f"label_probabilities.{suffix}"
    if suffix == "parquet":
        pq.write_table(table, path)
        return
    lines = [",".join(table.column_names), *(",".join(map(str, row.values())) for row in table.to_pylist())]
    path.write_text("\n".join(lines))


def test_numbers_whose_sum_is_too_large_for_a_float_become_fractions():
    numbers = np.array([[1e308, 1e308, 0], [1, 2, 1]])
    assert label_probabilities.fractions(numbers, "") == pytest.approx(
        np.array([[1 / 2, 1 / 2, 0], [1 / 4, 1 / 2, 1 / 4]])
    )


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_counts_beside_a_folder_go_with_their_images_into_each_split(tmp_path, suffix):
    write_folder(tmp_path, size=(20, 20))
    counts_of(tmp_path, suffix)
    splits = load_splits(f"folder:{tmp_path}")
    for split in splits.values():
        digit = split.image_ids % 10  # ten images a class, called by their number
        rows, after = np.arange(len(digit)), (split.labels + 1) % 3
        assert split.label_probabilities[rows, split.labels] == pytest.approx(8 / (8 + digit))
        assert split.label_probabilities[rows, after] == pytest.approx(digit / (8 + digit))
    datasets.write_splits(tmp_path / "train", {"train": splits["train"]}, {})
    some = datasets.take(datasets.read_split(tmp_path / "train", "train"), np.array([3, 1]))
    assert np.array_equal(some.label_probabilities, splits["train"].label_probabilities[[3, 1]])
    place = f"folder:{tmp_path}"
    assert settings_catalog.has_label_probabilities(place)
    made_of = settings_catalog.files_of.__wrapped__(place, None)
    assert str(tmp_path / f"label_probabilities.{suffix}") in made_of  # which is read again once it changes


def test_a_split_may_have_labels_of_people_alone(tmp_path):
    for split in ("train", "test"):
        write_folder(tmp_path / split, n=4, size=(9, 9))
    counts_of(tmp_path, leave_out="none")
    path = tmp_path / "label_probabilities.csv"
    path.write_text("\n".join(line for line in path.read_text().splitlines() if not line.startswith("train/")))
    splits = load_splits(f"folder:{tmp_path}")
    assert splits["train"].label_probabilities is None and splits["test"].label_probabilities.shape == (12, 3)


FAULTS = [
    ({"leave_out": "bee/004.jpg"}, "has no row of bee/004.jpg; give a row for each"),
    ({"dog": [1] * 30}, "'dog' is no class"),
    ({"cat": ["x"] * 30}, "column 'cat' is string"),
    ({"cat": [-1] * 30}, "has no counts of at least 0"),
    ({"file": ["ant/000.jpg"] * 30}, "ant/000.jpg is there twice"),
]


@pytest.mark.parametrize(("change", "message"), FAULTS)
def test_a_file_that_does_not_fit_the_images_is_refused_in_a_line(tmp_path, change, message):
    write_folder(tmp_path, size=(9, 9))
    counts_of(tmp_path, **change)
    with pytest.raises(UserError, match=message):
        catalog.find(f"folder:{tmp_path}", None)


def test_two_files_are_refused(tmp_path):
    write_folder(tmp_path, size=(9, 9))
    counts_of(tmp_path)
    counts_of(tmp_path, "parquet")
    with pytest.raises(UserError, match="are both there; remove one"):
        settings_catalog.has_label_probabilities(f"folder:{tmp_path}")


def test_a_table_may_have_a_column_of_them(tmp_path):
    images = [encode(np.full((9, 9), i, np.uint8)) for i in range(20)]
    columns = {"image": images, "label": [i % 2 for i in range(20)]}
    given = [[i, 20 - i] for i in range(20)]
    pq.write_table(pa.table(columns | {"label_probabilities": given}), tmp_path / "train.parquet")
    split = load_splits(f"parquet:{tmp_path}")["val"]
    assert split.label_probabilities[:, 0] == pytest.approx(split.image_ids / 20)
    pq.write_table(pa.table(columns | {"label_probabilities": [[1, 2, 3]] * 20}), tmp_path / "train.parquet")
    with pytest.raises(UserError, match="row 0 are 3 numbers or nulls; give 2"):
        load_splits(f"parquet:{tmp_path}")


def test_a_baseline_learns_from_them_or_is_refused_in_a_line(tmp_path, capsys):
    files, settings = files_of(tmp_path), BASELINE | {"labels": "soft"}
    with pytest.raises(SystemExit) as ended:
        run_script("train_on_labels", 1, settings, **files)
    assert "labels: soft, but no label_probabilities came with the training images; add them" in str(ended.value)
    heads = []
    for soft in (np.eye(3), np.full((3, 3), 1 / 3)):
        split = split_of()
        known = datasets.replace(split, label_probabilities=soft[split.labels].astype(np.float32))
        datasets.write_splits(files["train"], {"train": known}, {})
        run_script("train_on_labels", 1, settings, **files)
        heads.append(files["checkpoint"].read_bytes())
    run_script("train_on_labels", 1, BASELINE, **files)  # which has no use for them
    assert heads[0] != heads[1] != files["checkpoint"].read_bytes()


def test_those_of_test_images_are_read_where_people_are_asked_for(tmp_path):
    split = split_of(6)
    datasets.write_splits(tmp_path / "test.safetensors", {"test": split}, {})
    with pytest.raises(UserError, match="soft_labels: given, but no label_probabilities came with the test images"):
        people.read(tmp_path / "test.safetensors")
    soft = np.linspace(0.1, 0.5, 18).reshape(6, 3).astype(np.float32)
    mixed = datasets.replace(split, image_ids=split.image_ids[::-1].copy(), label_probabilities=soft)
    datasets.write_splits(tmp_path / "test.safetensors", {"test": mixed}, {})
    found = people.read(tmp_path / "test.safetensors")
    assert found.image_ids.tolist() == list(range(6))
    assert found.fractions == pytest.approx((soft / soft.sum(1, keepdims=True))[::-1])
