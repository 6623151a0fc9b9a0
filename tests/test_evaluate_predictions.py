"""Predictions from elsewhere: the same numbers from every format, and one line for whatever is wrong."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import evaluate_predictions
from selfdoubt import foreign_predictions, rankings, schemas
from selfdoubt.errors import UserError

DRAWS = np.random.default_rng(0)
N, C = 50, 4
LABELS = DRAWS.integers(0, C, N)
LOGITS = DRAWS.normal(size=(N, C)).round(3)
LOGITS[np.arange(N), LABELS] += 1
SCRIPT = Path(evaluate_predictions.__file__)


def wide(logits=LOGITS, labels=LABELS) -> pd.DataFrame:
    frame = pd.DataFrame(logits, columns=[f"logit_{k}" for k in range(logits.shape[1])])
    return frame.assign(label=labels)


def write(path: Path, kind: str, logits=LOGITS, labels=LABELS) -> Path:
    """The predictions in one of the forms that are read."""
    lists = pa.table({"label": labels, "logits": pa.array(list(logits))})
    if kind == "csv":
        wide(logits, labels).sample(frac=1, axis=1, random_state=1).to_csv(path, index=False)  # columns in any order
    elif kind == "parquet-columns":
        wide(logits, labels).to_parquet(path)
    elif kind == "parquet-list":
        pq.write_table(lists, path, row_group_size=7)
    elif kind == "parquet-fixed":
        fixed = pa.FixedSizeListArray.from_arrays(pa.array(logits.ravel()), logits.shape[1])
        pq.write_table(pa.table({"label": labels, "logits": fixed}), path)
    else:
        np.savez(path, logits=logits, label=labels)
    return path


def suffix(kind: str) -> str:
    return kind.split("-")[0]


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


@pytest.mark.parametrize("kind", ["csv", "parquet-columns", "parquet-list", "parquet-fixed", "npz"])
def test_every_format_gives_the_same_predictions(tmp_path, kind, monkeypatch):
    monkeypatch.setattr(foreign_predictions, "_ROWS", 8)  # batches that do not end with the file
    path, scratch = write(tmp_path / f"a.{suffix(kind)}", kind), tmp_path / "scratch"
    scratch.mkdir()
    found = foreign_predictions.read(path, scratch)
    np.testing.assert_array_equal(found.logits, LOGITS)
    np.testing.assert_array_equal(found.labels, LABELS)
    assert isinstance(found.logits, np.memmap)  # what does not fit into memory stays on disk


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


FAULTS = {
    "row 3 has a logit that is not finite": lambda f: f.assign(logit_1=f.logit_1.where(f.index != 3)),
    "row 2 has label 9, which is none of 4 classes": lambda f: f.assign(label=f.label.where(f.index != 2, 9)),
    "row 2 has label -1, which is none of 4 classes": lambda f: f.assign(label=f.label.where(f.index != 2, -1)),
    "row 2 has label 0.5, which is no whole number": lambda f: f.assign(label=f.label.where(f.index != 2, 0.5)),
    "row 1 has no label": lambda f: f.assign(label=f.label.where(f.index != 1)),
    "has no column 'label'": lambda f: f.drop(columns="label"),
    "has no column 'logits' or 'logit_0'": lambda f: f[["label"]],
    "logit columns must be logit_0 to logit_2": lambda f: f.drop(columns="logit_1"),
    "has no rows": lambda f: f[:0],
    "has 1 class; give two or more": lambda f: f[["label", "logit_0"]],
}


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("told", FAULTS)
def test_a_wrong_file_is_told_in_one_line(tmp_path, capsys, told, kind):
    frame, path = FAULTS[told](wide()), tmp_path / f"a.{kind}"
    frame.to_csv(path, index=False) if kind == "csv" else frame.to_parquet(path, index=False)
    if kind == "csv" and told == "has no rows":
        path.write_text(",".join(frame.columns) + "\n")
    if told == "has 1 class; give two or more":
        frame.assign(label=0).to_csv(path, index=False) if kind == "csv" else frame.assign(label=0).to_parquet(path)
    code, out, err = run(capsys, path)
    assert code == 2 and out == "" and err.count("\n") == 1
    assert err.startswith(f"evaluate_predictions: {path}: ") and told in err


@pytest.mark.parametrize(
    ("arrays", "told"),
    [
        ({"logits": LOGITS}, "has no column 'label'"),
        ({"label": LABELS}, "has no column 'logits'"),
        ({"logits": LOGITS[0], "label": LABELS}, r"logits are of shape \(4,\), expected \(n, C\)"),
        ({"logits": LOGITS, "label": LABELS[:3]}, r"label is of shape \(3,\), expected \(50,\)"),
        ({"logits": LOGITS.astype(object), "label": LABELS}, "cannot be read"),  # would be unpickled
    ],
)
def test_a_wrong_npz_is_told(tmp_path, arrays, told):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(UserError, match=told):
        foreign_predictions.read(tmp_path / "a.npz", tmp_path)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_words_where_numbers_belong_are_told(tmp_path, capsys, kind):
    path, frame = tmp_path / f"a.{kind}", wide().assign(label="shirt")
    frame.to_csv(path, index=False) if kind == "csv" else frame.to_parquet(path)
    code, _, err = run(capsys, path)
    assert code == 2 and f"{path}: 'label' holds something that is no number" in err and err.count("\n") == 1


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut short", b"no archive"])
def test_a_broken_archive_is_told(tmp_path, capsys, content):
    (tmp_path / "a.npz").write_bytes(content)
    code, _, err = run(capsys, tmp_path / "a.npz")
    assert code == 2 and "a.npz: cannot be read" in err and err.count("\n") == 1


def test_lists_of_different_lengths_are_told(tmp_path):
    table = pa.table({"label": [0, 1], "logits": [[1.0, 2.0], [1.0, 2.0, 3.0]]})
    pq.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(UserError, match="not all of one length"):
        foreign_predictions.read(tmp_path / "a.parquet", tmp_path)
    pq.write_table(pa.table({"label": [0, 1], "logits": [1.0, 2.0]}), tmp_path / "b.parquet")
    with pytest.raises(UserError, match="of type double, expected a list of numbers"):
        foreign_predictions.read(tmp_path / "b.parquet", tmp_path)


@pytest.mark.parametrize(
    ("row", "told"), [([0.5, 0.6, 0, 0], "sum to 1.1; are they"), ([1.5, -0.5, 0, 0], "have one of -0.5; are they")]
)
def test_probabilities_that_are_none_are_told(tmp_path, row, told):
    p = np.full((N, C), 0.25)
    p[7] = row
    write(tmp_path / "a.csv", "csv", p)
    with pytest.raises(UserError, match=f"row 7 {told}"):
        foreign_predictions.read(tmp_path / "a.csv", tmp_path, probabilities=True)


@pytest.mark.parametrize(
    ("content", "told"), [(None, "no such file"), (b"PAR1 not really", "cannot be read"), (b"", "cannot be read")]
)
def test_a_file_that_is_none_is_told(tmp_path, capsys, content, told):
    path = tmp_path / "a.parquet"
    if content is not None:
        path.write_bytes(content)
    code, _, err = run(capsys, path)
    assert code == 2 and told in err and err.count("\n") == 1


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


@pytest.mark.parametrize(("value", "fault"), [(-1, "row 3 has an ood_class below 0"), (1.5, "row 3 has ood_class 1.5")])
def test_a_class_that_is_none_is_told(tmp_path, capsys, value, fault):
    path, ood = write(tmp_path / "a.csv", "csv"), tmp_path / "o.csv"
    classes = np.ones(N)
    classes[3] = value
    wide().drop(columns="label").assign(ood_class=classes).to_csv(ood, index=False)
    code, _, err = run(capsys, path, "--ood", ood)
    assert code == 2 and fault in err
