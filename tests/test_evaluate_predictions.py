"""Predictions from elsewhere: the same numbers from every format, and one line for whatever is wrong."""

import json
import os
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from foreign_files import DRAWS, LABELS, LOGITS, SCRIPT, C, N, suffix, wide, write

import evaluate_predictions
from selfdoubt import rankings, schemas


def run(capsys, *arguments) -> tuple[int, str, str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [str(SCRIPT), *map(str, arguments)])
        code = 0
        try:
            evaluate_predictions.main()
        except SystemExit as end:
            code = end.code
    out, err = capsys.readouterr()
    return code, out, err


def test_the_numbers_are_those_of_the_library(tmp_path, capsys):
    path = write(tmp_path / "a.csv", "csv")
    code, out, _ = run(capsys, path, "--format", "json", "--val", path)
    rows = {(row["split"], row["score"], row["metric"]): row["value"] for row in json.loads(out)}
    correct, top = LOGITS.argmax(1) == LABELS, np.sort(LOGITS, 1)[:, -1] - np.sort(LOGITS, 1)[:, -2]
    assert code == 0
    assert rows["test", "none", "accuracy"] == correct.mean()
    assert rows["test", "logit-margin", "auroc"] == pytest.approx(rankings.auroc(top, correct), abs=1e-12)
    assert rows["test", "logit-margin", "aurc"] == pytest.approx(rankings.aurc(top, correct), abs=1e-12)
    assert rows["test", "msp-ts", "nll"] <= rows["test", "msp", "nll"] + 1e-9  # fitted on the same rows


def test_the_table_is_written_in_the_pipelines_schema(tmp_path, capsys):
    path = write(tmp_path / "a.npz", "npz")
    code, out, _ = run(capsys, path, "--output", tmp_path / "m.parquet", "--resamples", "100", "--ood", path)
    table = schemas.read_table(tmp_path / "m.parquet", schemas.SCHEMAS["metrics"]).to_pandas()
    assert code == 0 and set(table.split) == {"test", "ood-given"} and set(table.name) == {"a"}
    auroc = table[(table.metric == "auroc") & (table.score == "msp")].iloc[0]
    assert auroc.low < auroc.value < auroc.high
    assert f"{auroc.value:.4f} ({auroc.low:.4f}-{auroc.high:.4f})" in out
    assert float(table[(table.metric == "ood-auroc") & (table.score == "msp")].value.iloc[0]) == 0.5  # the same images
    assert "no number for" in out and "no samples in val" in out  # nothing to fit msp-ts and pnorm on


def test_probabilities_serve_as_logits(tmp_path, capsys):
    p = np.exp(LOGITS) / np.exp(LOGITS).sum(1, keepdims=True)
    write(tmp_path / "a.csv", "csv")
    write(tmp_path / "p.csv", "csv", p)
    scores = ["--scores", "msp", "margin", "entropy", "--format", "json"]
    logits, given = (run(capsys, tmp_path / f, *scores, *more)[1] for f, more in (("a.csv", []), ("p.csv", ["--prob"])))
    for one, other in zip(json.loads(logits), json.loads(given), strict=True):
        assert one["metric"] == other["metric"] and one["value"] == pytest.approx(other["value"], abs=1e-9)


def test_a_probability_of_0_is_not_a_fault(tmp_path, capsys):
    write(tmp_path / "p.csv", "csv", np.eye(C)[LABELS])
    code, out, _ = run(capsys, tmp_path / "p.csv", "--probabilities", "--scores", "msp", "--format", "json")
    values = {row["metric"]: row["value"] for row in json.loads(out)}
    assert code == 0 and values["accuracy"] == 1 and values["ece"] == 0 and values["brier"] == 0


def test_a_file_written_by_hand_is_evaluated_by_the_command(tmp_path):
    (tmp_path / "hand.csv").write_text("label,logit_0,logit_1\n0,2.5,-1\n1,0,1\n1,3,2\n")
    done = subprocess.run([sys.executable, SCRIPT, tmp_path / "hand.csv"], capture_output=True, text=True, check=True)
    line = next(line for line in done.stdout.splitlines() if "accuracy" in line)
    assert line.split() == ["test", "accuracy", "0.6667"]


def test_other_faults_of_the_call_are_told(tmp_path, capsys):
    path, other = write(tmp_path / "a.csv", "csv"), write(tmp_path / "b.csv", "csv", LOGITS[:, :3], LABELS % 3)
    code, _, err = run(capsys, path, "--val", other)
    assert code == 2 and f"{other}: has 3 classes and {path} 4" in err
    code, _, err = run(capsys, path, "--format", "parquet")
    assert code == 2 and "name a file by --output" in err
    (tmp_path / "a.txt").write_text("")
    code, _, err = run(capsys, tmp_path / "a.txt")
    assert code == 2 and "'.txt' is not one of .parquet, .csv, .npz" in err


@pytest.mark.parametrize("kind", ["csv", "parquet-columns", "npz"])
def test_classes_of_other_images_give_severities(tmp_path, capsys, kind):
    path, ood = write(tmp_path / "a.csv", "csv"), tmp_path / f"o.{suffix(kind)}"
    classes = np.arange(N) % (C + 3)
    if kind == "npz":
        np.savez(ood, logits=LOGITS, ood_class=classes)
    else:
        frame = wide().drop(columns="label").assign(ood_class=classes)
        frame.to_csv(ood, index=False) if kind == "csv" else frame.to_parquet(ood)
    code, out, _ = run(capsys, path, "--ood", ood, "--format", "json", "--scores", "energy")
    found = {row["metric"]: row["value"] for row in json.loads(out) if row["split"] == "ood-given"}
    levels = [found[f"ood-auroc-severity-{percent}"] for percent in range(0, 101, 10)]
    assert (
        code == 0 and len(set(levels)) == 4 and levels == sorted(levels, reverse=True)
    )  # 4 windows, harder and harder


def test_other_images_without_classes_have_no_severities(tmp_path, capsys):
    path = write(tmp_path / "a.csv", "csv")
    _, out, _ = run(capsys, path, "--ood", path, "--scores", "energy")
    assert "no number for energy: ood-given: the classes of its images are not known" in out


# ---- memory ----

LIMITED = """
import re, resource, sys
from pathlib import Path
import evaluate_predictions

sys.argv = ["evaluate_predictions.py", "small.parquet", "--scores", "max-logit"]
evaluate_predictions.main()  # threads have their stacks now, packages what they load when they are first used
data = 1024 * int(re.search(r"VmData:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
resource.setrlimit(resource.RLIMIT_DATA, (data + 48 * 2**20,) * 2)
for name in ("large.parquet", "large.npz"):
    sys.argv[1] = name
    evaluate_predictions.main()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
def test_files_larger_than_memory_are_evaluated(tmp_path):
    """With 48 MiB more than a small file needs: 183 MiB of logits, which are mapped and no data of the process."""
    n_rows, n_classes = 12_000, 4000
    logits = np.resize(DRAWS.normal(size=999_983).astype(np.float32), (n_rows, n_classes))
    for name, n in (("small", 600), ("large", n_rows)):
        lists = pa.FixedSizeListArray.from_arrays(pa.array(logits[:n].ravel()), n_classes)
        columns = {"label": np.arange(n) % n_classes, "logits": lists}
        pq.write_table(pa.table(columns), tmp_path / f"{name}.parquet", compression="none", use_dictionary=False)
    np.savez(tmp_path / "large.npz", logits=logits, label=np.arange(n_rows) % n_classes)
    environment = {"PYTHONPATH": str(SCRIPT.parent), "ARROW_DEFAULT_MEMORY_POOL": "system", "OMP_NUM_THREADS": "2"}
    options = {"cwd": tmp_path, "env": os.environ | environment, "capture_output": True, "text": True, "timeout": 60}
    done = subprocess.run([sys.executable, "-c", LIMITED], check=False, **options)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("accuracy") == 3
