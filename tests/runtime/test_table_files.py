"""A table that is read is what was written: whole, of its schema, and the same bytes for the same work."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from helpers import SCHEMAS

from selfdoubt.runtime import table_files
from selfdoubt.runtime.errors import UserError
from selfdoubt.runtime.schemas.comparisons import COMPARISONS_SCHEMA
from selfdoubt.runtime.schemas.hypotheses import HYPOTHESES_SCHEMA
from selfdoubt.runtime.schemas.metrics import METRICS_SCHEMA
from selfdoubt.runtime.schemas.training import TRAINING_SCHEMA
from selfdoubt.runtime.table_files import predictions_schema, read_metadata, read_table, write_rows, write_table

ROWS = [
    {"epoch": 0, "learning_rate": 0.1, "train_loss": 2.5, "val_loss": 2.0, "val_accuracy": 0.25},
    {"epoch": 1, "learning_rate": 0.01, "train_loss": 1.5, "val_loss": None, "val_accuracy": 0.5},
]


def write_training(path, metadata=None):
    write_rows(path, ROWS, TRAINING_SCHEMA, metadata)
    return path


def predictions(n: int = 4, **own) -> pa.Table:
    """Two classes; the logits of row i are (i, -i)."""
    logits = np.outer(np.arange(n), [1, -1]).astype(np.float32)
    column = pa.FixedSizeListArray.from_arrays(logits.ravel(), type=predictions_schema(2).field("logits").type)
    base = {"split": ["test"] * n, "image_id": pa.array(range(n), pa.int32()), "label": pa.array([0] * n, pa.int16())}
    return pa.table(base | {"logits": column} | own)


def test_rows_survive_a_file(tmp_path):
    table = read_table(write_training(tmp_path / "a.parquet"), TRAINING_SCHEMA)
    assert table.to_pylist() == ROWS
    assert table.schema.equals(TRAINING_SCHEMA)


def test_every_table_may_be_empty_or_have_nulls(tmp_path):
    for schema in SCHEMAS.values():
        for rows in ([], [dict.fromkeys(schema.names)]):
            write_rows(tmp_path / "a.parquet", rows, schema)
            assert read_table(tmp_path / "a.parquet", schema).to_pylist() == rows


def test_a_hypothesis_has_all_columns_of_a_comparison():
    assert set(COMPARISONS_SCHEMA.names) - {"repeats"} < set(HYPOTHESES_SCHEMA.names)  # it repeats no other


# ---- predictions ----


def test_the_predictions_schema_in_full():
    schema = predictions_schema(10, ("confidence_gain", "predicted"))
    expected = ["split: string", "image_id: int32", "label: int16"]
    expected += ["logits: fixed_size_list<item: float not null>[10]", "confidence_gain: float", "predicted: int16"]
    assert [f"{field.name}: {field.type}" for field in schema] == expected
    assert predictions_schema(10).names == ["split", "image_id", "label", "logits"]


def test_logits_survive_a_file_bit_for_bit(tmp_path):
    logits = np.random.default_rng(0).normal(size=(4, 2)).astype(np.float32)
    logits[0] = [np.inf, np.nan]
    column = pa.FixedSizeListArray.from_arrays(logits.ravel(), type=predictions_schema(2).field("logits").type)
    write_table(tmp_path / "a.parquet", predictions(logits=column), predictions_schema(2))
    read = read_table(tmp_path / "a.parquet")["logits"].combine_chunks()
    assert read.null_count == 0  # a number that is not one is not a missing one
    assert read.flatten().to_numpy().tobytes() == logits.tobytes()


def test_a_variants_own_columns_survive_a_file(tmp_path):
    table = predictions(predicted=[0, 1, 1, 0], confidence_gain=[0.5, 0.25, 0.0, -1.0])
    write_table(tmp_path / "a.parquet", table, predictions_schema(2, ("confidence_gain", "predicted")))
    read = read_table(tmp_path / "a.parquet")
    assert read["predicted"].to_pylist() == [0, 1, 1, 0] and read.schema.field("predicted").type == pa.int16()
    assert read["confidence_gain"].to_pylist() == [0.5, 0.25, 0.0, -1.0]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"logits": [[1.0, 2.0]] * 4},
            "not a predictions table: no fixed-size list column 'logits'; columns: .'split'",
        ),
        ({"label": pa.array([0] * 4, pa.int64())}, "column 'label' is int64, expected int16; delete it and run again"),
        ({"confidence_gain": ["much"] * 4}, "column 'confidence_gain' is string, expected float"),
        ({"predicted": [0.0] * 4}, "column 'predicted' is double, expected int16"),
    ],
)
def test_a_predictions_table_of_wrong_columns_is_named(tmp_path, columns, message):
    pq.write_table(predictions(**columns), tmp_path / "a.parquet")
    with pytest.raises(UserError, match=rf"a\.parquet: {message}"):
        read_table(tmp_path / "a.parquet")


def test_another_table_is_not_taken_for_predictions(tmp_path):
    with pytest.raises(UserError, match=r"a\.parquet: not a predictions table"):
        read_table(write_training(tmp_path / "a.parquet"))
    pq.write_table(predictions().drop_columns("label"), tmp_path / "b.parquet")
    with pytest.raises(UserError, match=r"b\.parquet: column 'label' is missing"):
        read_table(tmp_path / "b.parquet")


# ---- files that are not what they should be ----


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"a\.parquet: no such file; run snakemake to make it"):
        read_table(tmp_path / "a.parquet", TRAINING_SCHEMA)


@pytest.mark.parametrize("kept", [0, 3, 100, -1])
def test_a_truncated_file_is_named_in_one_line(tmp_path, kept):
    path = write_training(tmp_path / "a.parquet")
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(UserError, match=r"a\.parquet: not a whole Parquet file .*; delete it and run again$") as fault:
        read_table(path, TRAINING_SCHEMA)
    assert "\n" not in str(fault.value)


def test_a_file_in_which_a_bit_has_changed_is_named(tmp_path):
    path = write_training(tmp_path / "a.parquet")
    content, column = bytearray(path.read_bytes()), pq.ParquetFile(path).metadata.row_group(0).column(1)
    content[(column.dictionary_page_offset or column.data_page_offset) + column.total_compressed_size - 1] ^= 4
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"a\.parquet: not a whole Parquet file .*; delete it and run again$"):
        read_table(path, TRAINING_SCHEMA)


def test_a_file_that_cannot_be_read_is_not_called_broken(tmp_path):
    """The advice to delete it would cost a whole table."""
    path = tmp_path / "table.parquet"
    path.symlink_to(path.name)  # a circle, which no right to read helps with
    with pytest.raises(OSError, match="symbolic links") as found:
        table_files.read_table(path, METRICS_SCHEMA)
    assert found.value.errno


def test_a_missing_column_is_named(tmp_path):
    pq.write_table(pa.Table.from_pylist(ROWS, TRAINING_SCHEMA).drop_columns("val_loss"), tmp_path / "a.parquet")
    with pytest.raises(UserError, match=r"a\.parquet: column 'val_loss' is missing; delete it and run again"):
        read_table(tmp_path / "a.parquet", TRAINING_SCHEMA)


def test_a_column_of_another_type_is_named(tmp_path):
    pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / "a.parquet")  # whole numbers become int64
    with pytest.raises(UserError, match=r"a\.parquet: column 'epoch' is int64, expected int32; delete it"):
        read_table(tmp_path / "a.parquet", TRAINING_SCHEMA)


def test_what_does_not_fit_its_schema_is_not_written(tmp_path):
    for wrong in ("late", 2**40):
        with pytest.raises(pa.ArrowInvalid):
            write_table(tmp_path / "a.parquet", pa.Table.from_pylist([{**ROWS[0], "epoch": wrong}]), TRAINING_SCHEMA)
    assert not list(tmp_path.iterdir())


def test_columns_are_written_in_the_order_of_the_schema_and_others_are_not(tmp_path):
    table = pa.Table.from_pylist([{**dict(reversed(ROWS[0].items())), "note": "x"}])
    write_table(tmp_path / "a.parquet", table, TRAINING_SCHEMA)
    assert pq.read_table(tmp_path / "a.parquet").column_names == TRAINING_SCHEMA.names


# ---- metadata, bytes ----


def test_metadata_is_ours_alone(tmp_path):
    from_pandas = pa.Table.from_pandas(pa.Table.from_pylist(ROWS, TRAINING_SCHEMA).to_pandas())
    assert b"pandas" in from_pandas.schema.metadata
    schema = TRAINING_SCHEMA.with_metadata(from_pandas.schema.metadata)  # as that of a table that was read
    write_table(tmp_path / "a.parquet", from_pandas, schema, {"replicate": 1, "code": "abc"})
    file = pq.ParquetFile(tmp_path / "a.parquet")
    assert set(file.metadata.metadata) == {b"selfdoubt", b"ARROW:schema"}
    assert file.schema_arrow.metadata == {b"selfdoubt": b'{"code": "abc", "replicate": 1}'}


@pytest.mark.parametrize("metadata", [{"settings": {"b": [1, 2], "a": None}, "code": "abc"}, {}, None])
def test_metadata_survives_a_file(tmp_path, metadata):
    assert read_metadata(write_training(tmp_path / "a.parquet", metadata)) == (metadata or {})


def test_equal_work_gives_equal_bytes(tmp_path, monkeypatch):
    first = write_training(tmp_path / "a.parquet", {"replicate": 1, "code": "abc"}).read_bytes()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert write_training(tmp_path / "elsewhere" / "b.parquet", {"code": "abc", "replicate": 1}).read_bytes() == first
    assert write_training(tmp_path / "c.parquet", {"replicate": 2, "code": "abc"}).read_bytes() != first


def test_a_failing_write_leaves_the_old_table(tmp_path, monkeypatch):
    path = write_training(tmp_path / "a.parquet")

    def full_disk(table, where, **_):
        where.write_bytes(b"PAR1")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(table_files.pq, "write_table", full_disk)
    with pytest.raises(UserError, match="the disk is full"):
        write_rows(path, ROWS[:1], TRAINING_SCHEMA)
    assert read_table(path, TRAINING_SCHEMA).to_pylist() == ROWS
    assert list(tmp_path.iterdir()) == [path]
