"""From a checkpoint to predictions with scores from features."""

import numpy as np
import pyarrow.parquet as pq
from small_training import BASELINE, files_of, run_script, split_of, train

from selfdoubt.data import datasets
from selfdoubt.evaluation import scoring
from selfdoubt.evaluation.predictions import predictions_by_split
from selfdoubt.runtime import table_files


def test_scores_from_features_are_columns_of_predictions(tmp_path):
    files_of(tmp_path)
    datasets.write_splits(tmp_path / "test", {"test": split_of(12, seed=3)}, {})
    files = {"checkpoint": train(tmp_path, "ce", settings=BASELINE), "val": tmp_path / "val", "test": tmp_path / "test"}
    run_script("predict", 1, {"mc_dropout_passes": 0}, **files, output=tmp_path / "before")
    run_script("extract_features", 1, {}, **files, train=tmp_path / "train", output=tmp_path / "features")
    between = {"predictions": tmp_path / "before", "features": tmp_path / "features"}
    run_script("score_features", 1, {"scores": ["knn", "react", "sirc", "vim"]}, **between, output=tmp_path / "after")
    before, after = pq.read_table(tmp_path / "before"), table_files.read_table(tmp_path / "after")
    assert after.select(before.column_names).equals(before)
    by_split = predictions_by_split(after)
    assert {*by_split["test"].signals} == {"knn", "react", "sirc", "vim"}
    found = {name: scoring.from_column(by_split["test"], "test", name) for name in ("knn", "react", "sirc", "vim")}
    assert all(len(np.unique(values)) > 6 for values in found.values())
