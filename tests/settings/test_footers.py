"""Memory that jobs on tables of images request follows the rows and the labels that the footers of the files state."""

from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from selfdoubt.settings import footers, memory


def table(path, labels, name="label", **written):
    path.parent.mkdir(parents=True, exist_ok=True)
    images = pa.array([b"x"] * len(labels), pa.binary())
    pq.write_table(pa.table({"image": images, name: labels}), path, **written)
    return path


def dataset(source) -> SimpleNamespace:
    facts = {"storage": "arrays", "size_px": 64, "channels": 3, "max_gb": 4, "val_fraction": 0.1}
    return SimpleNamespace(source=source, corruptions=None, shifted={}, **facts)


@pytest.mark.parametrize("name", footers.LABELS)
def test_rows_and_classes_are_those_of_all_files_and_groups(tmp_path, name):
    paths = [
        table(tmp_path / "0.parquet", list(range(3, 13)), name, row_group_size=4),
        table(tmp_path / "1.parquet", [2]),
    ]
    assert footers.n_rows(paths) == 11
    assert footers.n_labels(paths) == 11  # 2 to 12


@pytest.mark.parametrize(
    "written", [{"labels": ["cat", "dog"]}, {"labels": [0, 7], "write_statistics": False}, {"labels": []}]
)
def test_classes_of_text_and_of_files_without_statistics_are_unknown(tmp_path, written):
    assert footers.n_labels([table(tmp_path / "train.parquet", **written)]) is None


def test_a_file_that_is_no_table_is_an_error_that_callers_expect(tmp_path):
    (tmp_path / "train.parquet").write_bytes(b"PAR1 and no more")
    for read in (footers.n_rows, footers.n_labels):
        with pytest.raises(OSError):
            read([tmp_path / "train.parquet"])


def test_memory_follows_the_larger_split_and_its_labels(tmp_path):
    table(tmp_path / "train/0.parquet", [0, 1, 2, 19] * 1000)
    table(tmp_path / "train/1.parquet", [5] * 2000)
    table(tmp_path / "test/0.parquet", [0] * 500)
    images = dataset(f"parquet:{tmp_path}")
    assert memory.images_mb(images) == 6000 * 3 * 64 * 64 / 1e6
    assert memory.logits_mb(images, []) == 4 * 20 * (600 + 6000) / 1e6
    ood = SimpleNamespace(source=f"parquet:{tmp_path}", n_images=None)
    assert memory.predicted_images(images, [ood]) == 600 + 6000 + 6000


def test_there_are_no_more_classes_than_images_where_labels_are_text(tmp_path):
    table(tmp_path / "train.parquet", ["cat", "dog"] * 20)
    assert memory.logits_mb(dataset(f"parquet:{tmp_path}"), []) == 4 * 40 * 44 / 1e6


@pytest.mark.parametrize("content", [None, b"no table"])
def test_tables_that_are_missing_or_broken_count_as_the_most(tmp_path, content):
    """The check of the config, or the job, says what is wrong with them."""
    if content:
        (tmp_path / "train.parquet").write_bytes(content)
    images = dataset(f"parquet:{tmp_path}")
    assert memory.images_mb(images) == 4000
    assert memory.logits_mb(images, []) == 4 * 1000 * 55_000 / 1e6
