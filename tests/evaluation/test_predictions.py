"""Predictions tables to the predictions of each split."""

import numpy as np
import pyarrow as pa

from selfdoubt.evaluation.predictions import predictions_by_split
from selfdoubt.runtime.table_files import LOG_PROBABILITIES, predictions_schema, read_table, write_table


def test_predictions_by_split(tmp_path):
    splits = ["val"] * 3 + ["test", "ood-x", "test", "test"]
    logits = np.arange(14, dtype=np.float32).reshape(7, 2)
    columns = {
        "split": splits,
        "image_id": np.arange(7, dtype=np.int32),
        "label": pa.array([0, 1, 0, 1, -1, 0, 1], pa.int16()),
        "logits": pa.FixedSizeListArray.from_arrays(logits.ravel(), 2),
        "predicted": pa.array([1] * 7, pa.int16()),
        "ood_class": pa.array([-1] * 4 + [9] + [-1] * 2, pa.int16()),
        "mc_dropout": pa.array(np.arange(7), pa.float32()),
    }
    schema = predictions_schema(2, ("predicted", "ood_class", "mc_dropout"))
    write_table(tmp_path / "p.parquet", pa.table(columns).cast(schema), schema)
    whole = read_table(tmp_path / "p.parquet")
    chunked = pa.concat_tables([whole.slice(0, 2), whole.slice(2, 3), whole.slice(5)])
    for table in (whole, chunked):
        found = predictions_by_split(table)
        assert list(found) == ["val", "test", "ood-x"]
        assert found["test"].logits.tolist() == [[6, 7], [10, 11], [12, 13]]
        assert found["test"].labels.tolist() == [1, 0, 1]
        assert found["test"].correct.tolist() == [True, False, True]
        assert found["val"].logits.tolist() == logits[:3].tolist()
        assert found["ood-x"].labels.tolist() == [-1]
        assert found["ood-x"].ood_classes.tolist() == [9]
        assert found["test"].signals["mc_dropout"].tolist() == [3, 5, 6]
    without = predictions_by_split(whole.select(["split", "image_id", "label", "logits"]))
    assert without["test"].predicted is without["test"].ood_classes is None
    assert without["test"].signals == {}


def test_metadata_decide_whether_logits_are_logarithms_of_probabilities(tmp_path):
    column = pa.FixedSizeListArray.from_arrays(pa.array([1.0, 2.0], pa.float32()), 2)
    table = pa.table({"split": ["test"], "image_id": [0], "label": [1], "logits": column})
    for known, metadata in ((True, LOG_PROBABILITIES | {"replicate": 1}), (False, {"replicate": 1}), (False, None)):
        write_table(tmp_path / "p.parquet", table, predictions_schema(2), metadata)
        found = predictions_by_split(read_table(tmp_path / "p.parquet"))
        assert found["test"].of_probabilities is known
    assert predictions_by_split(table)["test"].of_probabilities is False  # without any metadata
