"""Confidence and correctness of arms and replicates, as curves are drawn from them."""

from math import log
from pathlib import Path

import numpy as np
import pytest

from selfdoubt.data.datasets import Split
from selfdoubt.evaluation import prediction_tables
from selfdoubt.evaluation.log_odds import log_odds
from selfdoubt.evaluation.softmax import fit_temperature
from selfdoubt.figures import curves
from selfdoubt.figures.texts import NothingToShow
from selfdoubt.runtime.errors import UserError


def write(path: Path, logits, labels=(0, 1, 1), **columns) -> Path:
    """The same three images of two classes as val and as test."""
    split = Split(np.zeros((3, 1, 1, 1), np.uint8), np.array(labels), np.arange(3, dtype=np.int32))
    both, answers = {"val": split, "test": split}, np.array(logits, np.float32)
    signals = {name: dict.fromkeys(both, np.array(values)) for name, values in columns.items()}
    prediction_tables.write_predictions(path, both, dict.fromkeys(both, answers), signals)
    return path


LOGITS = [[log(3), 0], [0, log(9)], [log(4), 0]]  # softmax (3/4, 1/4), (1/10, 9/10), (4/5, 1/5)


def test_confidence_and_correctness_by_hand(tmp_path):
    path = write(tmp_path / "a.parquet", LOGITS)
    confidence, correct = curves.confidence_and_correctness(path, "test", curves.MAX_PROBABILITY)
    assert confidence == pytest.approx([3 / 4, 9 / 10, 4 / 5])
    assert correct.tolist() == [True, True, False]


def test_a_reported_label_counts_instead_of_the_argmax(tmp_path):
    path = write(tmp_path / "a.parquet", LOGITS, predicted=[1, 1, 1])
    confidence, correct = curves.confidence_and_correctness(path, "test", curves.MAX_PROBABILITY)
    assert correct.tolist() == [False, True, True] and confidence == pytest.approx([1 / 4, 9 / 10, 1 / 5])


@pytest.mark.parametrize("score", ["msp", "msp-ts", "margin", "logit-margin", "entropy", "gini"])
def test_scores_rank_these_as_the_largest_probability_does(tmp_path, score):
    confidence, _ = curves.confidence_and_correctness(write(tmp_path / "a.parquet", LOGITS), "test", score)
    assert np.argsort(confidence).tolist() == [0, 2, 1]


def test_a_score_is_fitted_on_val_and_not_on_the_split(tmp_path):
    split = Split(np.zeros((3, 1, 1, 1), np.uint8), np.array([1, 0, 0]), np.arange(3, dtype=np.int32))
    numbers = {"val": [[1, 2], [3, 4], [5, 1]], "test": [[5, 6], [9, 8], [7, 4]]}
    logits = {name: np.array(rows, np.float32) for name, rows in numbers.items()}
    prediction_tables.write_predictions(tmp_path / "a.parquet", dict.fromkeys(logits, split), logits)
    temperature = fit_temperature(logits["val"], split.labels)
    found, _ = curves.confidence_and_correctness(tmp_path / "a.parquet", "test", "msp-ts")
    assert found == pytest.approx(log_odds(logits["test"], temperature)) and temperature != 1


def test_paths_are_of_arms_then_replicates(tmp_path):
    paths = [write(tmp_path / f"{i}.parquet", [[log(i + 2), 0]] * 3) for i in range(6)]  # (i + 2) / (i + 3)
    found = curves.runs(paths, ["ce", "kd"], "test", curves.MAX_PROBABILITY)
    first = {arm: [confidence[0] for confidence, _ in replicates] for arm, replicates in found.items()}
    assert first == {"ce": pytest.approx([2 / 3, 3 / 4, 4 / 5]), "kd": pytest.approx([5 / 6, 6 / 7, 7 / 8])}


def test_an_arm_of_one_replicate_is_read_once(tmp_path):
    paths = [write(tmp_path / f"{i}.parquet", LOGITS) for i in range(2)]
    found = curves.runs([*paths, paths[0], paths[0]], ["kd", "pretrained"], "test", curves.MAX_PROBABILITY)
    assert {arm: len(replicates) for arm, replicates in found.items()} == {"kd": 2, "pretrained": 1}


def test_a_split_that_is_not_there_is_named_with_those_that_are(tmp_path):
    path = write(tmp_path / "a.parquet", LOGITS)
    with pytest.raises(UserError, match=r"a\.parquet: has no split 'tset'; splits: val, test"):
        curves.runs([path], ["ce"], "tset", "msp")


def test_a_score_that_is_a_column_is_read_from_it(tmp_path):
    path = write(tmp_path / "a.parquet", LOGITS, mc_dropout=np.float32([-0.5, -0.25, -1]))
    confidence, correct = curves.confidence_and_correctness(path, "test", "mc-dropout")
    assert confidence.tolist() == [-0.5, -0.25, -1] and correct.tolist() == [True, True, False]
    with pytest.raises(NothingToShow, match="score mc-dropout: no column 'mc_dropout'"):
        curves.confidence_and_correctness(write(tmp_path / "b.parquet", LOGITS), "test", "mc-dropout")
