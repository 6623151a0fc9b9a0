"""Predictions that other people write by hand: numbers on edges and in ties, repeated names, tables half like ours."""

import json
import os
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from foreign_files import LABELS, LOGITS, SCRIPT, C, N, pipelines, run, write


def values(capsys, *arguments) -> dict[tuple[str, str], float]:
    code, out, _ = run(capsys, *arguments, "--format", "json")
    assert code == 0
    return {(row["score"], row["metric"]): row["value"] for row in json.loads(out)}


# ---- edges and ties ----


def test_a_probability_on_the_edge_of_a_bin_belongs_to_the_bin_below(tmp_path, capsys):
    # 0.6 is in (8/15, 9/15] and 0.65 in (9/15, 10/15]. Correct with 0.6 and incorrect with 0.65: (0.4 + 0.65) / 2.
    rows = ["1,0.32,0.6,0.08"] * 4 + ["0,0.3,0.65,0.05"] * 4
    (tmp_path / "edge.csv").write_text("\n".join(["label,logit_0,logit_1,logit_2", *rows]))
    found = values(capsys, tmp_path / "edge.csv", "--probabilities", "--scores", "msp", "--metrics", "ece", "mce")
    assert found == pytest.approx({("msp", "ece"): 0.525, ("msp", "mce"): 0.65})


@pytest.mark.parametrize("n_bins", [10, 15, 20])
def test_calibration_of_probabilities_with_two_digits_is_that_of_fractions(tmp_path, capsys, n_bins):
    draws = np.random.default_rng(n_bins)
    percent = draws.multinomial(100, draws.dirichlet([1, 1, 1], 400))
    percent = percent[percent.max(1) > np.sort(percent)[:, 1]]  # no label is a matter of ties
    labels, top = draws.integers(0, 3, len(percent)), percent.max(1)
    gaps = np.zeros(n_bins)
    np.add.at(gaps, (top * n_bins - 1) // 100, (percent.argmax(1) == labels) - top / 100)  # of whole numbers
    path = write(tmp_path / "p.csv", "csv", percent / 100, labels)
    found = values(capsys, path, "--probabilities", "--scores", "msp", "--metrics", "ece", "--bins", n_bins)
    assert found["msp", "ece"] == pytest.approx(np.abs(gaps).sum() / len(labels))


# ---- names and tables ----


def test_what_is_named_twice_counts_once(tmp_path, capsys):
    path = write(tmp_path / "a.csv", "csv")
    options = [["--scores", "msp", "energy"], ["--metrics", "accuracy", "aurc"], ["--splits", "test"]]
    once = [word for words in options for word in words]
    twice = [word for option, *names in options for word in (option, *names, *names)]
    assert run(capsys, path, *once) == run(capsys, path, *twice)


def test_a_val_set_that_is_the_test_set_gives_a_warning(tmp_path, capsys):
    path = write(tmp_path / "a.csv", "csv")
    (tmp_path / "link.csv").symlink_to(path)
    code, _, err = run(capsys, path, "--val", tmp_path / "link.csv")
    assert code == 0 and "fitted on the samples that are evaluated" in err


def test_val_sets_of_models_may_differ_unless_they_are_compared_on_them(tmp_path, capsys):
    models = [write(tmp_path / f"{name}.csv", "csv") for name in "ab"]
    rest = slice(7, None)
    val = [write(tmp_path / "v.csv", "csv"), write(tmp_path / "w.csv", "csv", LOGITS[rest], LABELS[rest])]
    options = ["--val", *val, "--reference", "a", "--resamples", "100", "--scores", "msp-ts", "--metrics", "nll"]
    code, out, err = run(capsys, *models, *options)
    assert (code, err) == (0, "") and "b - a" in out
    code, _, err = run(capsys, *models, *options, "--splits", "val")
    assert code == 2 and "val: a has 50 rows and b 43" in err


def test_a_score_that_is_a_column_of_the_table_is_evaluated(tmp_path, capsys):
    table = pq.read_table(pipelines(tmp_path / "clean.parquet"))
    signal = pa.array(np.tile(LOGITS.max(1), 3), pa.float32())
    pq.write_table(table.append_column("mc_dropout", signal), tmp_path / "mc.parquet")
    for more in ([], ["--scores", "mc-dropout", "max-logit"]):
        found = values(capsys, tmp_path / "mc.parquet", *more)
        assert found["mc-dropout", "auroc"] == found["max-logit", "auroc"]
    code, _, err = run(capsys, tmp_path / "clean.parquet", "--scores", "mc-dropout", "--metrics", "auroc")
    assert code == 2 and "no column 'mc_dropout'" in err


FAULTS = {
    "column 'split' has a row without a value": {"split": pa.array([None, *["test"] * (N - 1)])},
    "column 'label' has a row without a value": {"label": pa.array([None, *LABELS[1:]], pa.int16())},
    "column 'label' is int64, expected int16": {"label": pa.array(LABELS, pa.int64())},
    "column 'logits' has a row without a value": {
        "logits": pa.FixedSizeListArray.from_arrays(pa.array([None, *LOGITS.ravel()[1:]], pa.float32()), C)
    },
}


@pytest.mark.parametrize("named", [*FAULTS, "column 'split' is there twice"])
def test_a_table_half_like_ours_is_refused_in_one_line(tmp_path, capsys, named):
    columns = {
        "split": pa.array(["test"] * N),
        "image_id": pa.array(range(N), pa.int32()),
        "label": pa.array(LABELS, pa.int16()),
        "logits": pa.FixedSizeListArray.from_arrays(pa.array(LOGITS.ravel(), pa.float32()), C),
    }
    if named in FAULTS:
        table = pa.table(columns | FAULTS[named])
    else:
        table = pa.Table.from_arrays([*columns.values(), columns["split"]], [*columns, "split"])
    pq.write_table(table, tmp_path / "a.parquet")
    code, out, err = run(capsys, tmp_path / "a.parquet")
    assert (code, out) == (2, "") and err.count("\n") == 1 and f"a.parquet: {named}; write it as" in err


# ---- numbers and streams ----


def test_a_logit_too_large_to_compute_with_is_refused(tmp_path, capsys):
    logits = LOGITS.copy()
    logits[3, 1] = -3.67e307
    code, _, err = run(capsys, write(tmp_path / "a.csv", "csv", logits), "--scores", "msp")
    assert code == 2 and "row 3 has a logit of -3.67e+307, too large to compute with" in err


@pytest.mark.parametrize("closing", ["", " >&-", " 2>&-"])
def test_streams_that_hold_less_are_no_fault(tmp_path, closing):
    write(tmp_path / "größe.csv", "csv")
    command = f"{sys.executable} {SCRIPT} größe.csv --scores msp --metrics auroc{closing}"
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    options = {"cwd": tmp_path, "env": environment, "capture_output": True, "text": True}
    done = subprocess.run(["bash", "-c", command], check=False, **options)
    assert (done.returncode, done.stderr) == (0, "")
    assert closing == " >&-" or "gr\\xf6\\xdfe" in done.stdout
