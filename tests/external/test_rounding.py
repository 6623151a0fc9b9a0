"""Predictions that were written with few digits: seen, noted, and warned of where it matters."""

from types import SimpleNamespace

import numpy as np
import pytest
from foreign_files import run

from selfdoubt.evaluation import metrics_table
from selfdoubt.evaluation.predictions import predictions_by_split
from selfdoubt.external import arms, files, rounding
from selfdoubt.runtime import table_files

N, C = 400, 4
DRAWS = np.random.default_rng(0)
TAKEN_FOR, LABELS = DRAWS.integers(0, C, (2, N))
LABELS[40:] = TAKEN_FOR[40:]  # of the others some are incorrect, at any confidence
LOGITS = DRAWS.normal(0, 3, (N, C)) + 6 * np.eye(C)[TAKEN_FOR]
P = np.exp(LOGITS) / np.exp(LOGITS).sum(1, keepdims=True)
METRICS = {"metrics": ["accuracy", "nll", "aurc", "brier"], "scores": ["msp", "entropy"], "resampled_splits": []}
SETTINGS = {"selective_accuracies_percent": [], "coverages_percent": [], "ece_bins": 15, "n_resamples": 100}


def write_csv(path, digits: int | None, confidences: bool = False):
    p = P if digits is None else P.round(digits)
    if confidences:
        rows = np.column_stack([LABELS, p.argmax(1)])
        lines = [f"{a},{b},{top!r}" for (a, b), top in zip(rows.tolist(), p.max(1).tolist(), strict=True)]
        path.write_text("\n".join(["label,prediction,confidence", *lines]))
    else:
        lines = [
            ",".join([str(label), *map(repr, row)]) for label, row in zip(LABELS.tolist(), p.tolist(), strict=True)
        ]
        path.write_text("\n".join([",".join(["label", *(f"logit_{k}" for k in range(C))]), *lines]))
    return path


@pytest.mark.parametrize("confidences", [False, True])
@pytest.mark.parametrize(("digits", "places"), [(2, 2), (3, 3), (4, 4), (None, None)])
def test_decimal_places_are_those_of_most_rows(tmp_path, digits, places, confidences):
    path = write_csv(tmp_path / "p.csv", digits, confidences)
    assert files.read(path, None if confidences else True).decimal_places == places


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_of_both_sizes_are_seen_as_rounded_or_not(dtype):
    top = P.max(1).astype(dtype)
    assert rounding.of_batches([rounding.places_of(top)]) is None
    assert rounding.of_batches([rounding.places_of(top.round(3)), rounding.places_of(top.round(4))]) == 4
    assert rounding.places_of(np.ones(5, dtype)) == 0


def imported(tmp_path, digits: int | None, confidences: bool = False) -> list[dict]:
    """The rows of the metrics table of a file that was read as the pipeline does."""
    path, table = write_csv(tmp_path / "p.csv", digits, confidences), tmp_path / "p.parquet"
    numbers = None if confidences else "probabilities"
    arms.import_predictions({"test": path}, [], table, SimpleNamespace(numbers=numbers, val_fraction=0), {})
    found = predictions_by_split(table_files.read_table(table))
    return metrics_table.evaluate(found, SimpleNamespace(**METRICS, **SETTINGS), {})


def test_the_metrics_table_warns_of_zeros_and_of_ties_where_they_matter(tmp_path, capsys):
    rows = imported(tmp_path, 3)
    zeros = int((P.round(3)[np.arange(N), LABELS] == 0).sum())
    assert zeros and f"{zeros} of 400 labels" in capsys.readouterr().out
    warned = {(row["metric"], row["score"]): row["warning"] for row in rows if row["warning"]}
    assert warned.keys() == {("nll", "msp"), ("aurc", "msp")}
    assert f"{zeros} of 400 images" in warned["nll", "msp"]
    assert f"{(P.max(1).round(3) == 1).mean():.0%} of the images" in warned["aurc", "msp"]


def test_confidences_alone_have_ties(tmp_path):
    warned = {row["metric"] for row in imported(tmp_path, 3, confidences=True) if row["warning"]}
    assert warned == {"aurc"}


@pytest.mark.parametrize("confidences", [False, True])
def test_whole_numbers_are_not_warned_of(tmp_path, capsys, confidences):
    assert not [row for row in imported(tmp_path, None, confidences) if row["warning"]]
    assert "decimal" not in capsys.readouterr().out


def test_evaluate_predictions_notes_it_once_a_file(tmp_path, capsys):
    code, _, err = run(capsys, write_csv(tmp_path / "p.csv", 3), "--probabilities")
    assert code == 0 and err.count("3 decimal places") == 1 and len(err.splitlines()) == 1
    code, _, err = run(capsys, write_csv(tmp_path / "q.csv", None), "--probabilities")
    assert (code, err) == (0, "")
