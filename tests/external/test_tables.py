"""What the numbers of predictions from elsewhere look like, printed and in files, and how the command ends."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from foreign_files import LABELS, LOGITS, OTHER, SCRIPT, C, run, table_of, write

from selfdoubt.evaluation import scoring, softmax
from selfdoubt.runtime import table_files
from selfdoubt.runtime.methods import names_in
from selfdoubt.runtime.schemas.metrics import METRICS_SCHEMA

DOCS = Path(__file__).resolve().parents[2] / "docs" / "metrics.md"


@pytest.fixture
def pair(tmp_path) -> list:
    return [write(tmp_path / "a.npz", "npz"), write(tmp_path / "b_1.npz", "npz", OTHER)]


FEW = ["--scores", "msp", "energy", "--metrics", "accuracy", "auroc", "nll"]


def values(capsys, *arguments) -> dict:
    rows = json.loads(run(capsys, *arguments, "--format", "json")[1])
    return {(row["name"], row["score"], row["metric"]): f"{row['value']:.4f}" for row in rows}


# ---- printed ----


def test_one_model_has_a_column_a_score(pair, capsys):
    known = values(capsys, pair[0], *FEW)
    assert run(capsys, pair[0], *FEW)[1] == (
        f"a on test (n = 50): accuracy {known['a', 'none', 'accuracy']}\n"
        "metric  msp     energy\n"
        f"auroc   {known['a', 'msp', 'auroc']}  {known['a', 'energy', 'auroc']}\n"
        f"nll     {known['a', 'msp', 'nll']}\n"
    )


def test_several_models_have_a_column_each(pair, capsys):
    known = values(capsys, *pair, *FEW)
    expected = ["test (n = 50)", "score   metric    a       b_1"]
    for score, metric in (("none", "accuracy"), ("msp", "auroc"), ("msp", "nll"), ("energy", "auroc")):
        shown = "" if score == "none" or metric == "nll" else score
        expected.append(f"{shown:<6}  {metric:<8}  {known['a', score, metric]}  {known['b_1', score, metric]}")
    assert run(capsys, *pair, *FEW)[1].splitlines() == expected


def test_differences_are_printed_with_interval_and_p(pair, capsys):
    options = [*FEW, "--reference", "a", "--resamples", "100"]
    rows = json.loads(run(capsys, *pair, *options, "--format", "json")[1])
    out = run(capsys, *pair, *options)[1]
    assert "b_1 - a" in out and "a - a" not in out and "differences from a are paired by samples" in out
    (row,) = [row for row in rows if row["name"] == "b_1" and row["metric"] == "accuracy"]
    interval = f"[{row['difference_low']:+.4f}, {row['difference_high']:+.4f}]"
    assert f"{row['difference']:+.4f} {interval} p {row['p']:.2g}" in out


def test_models_that_are_alike_on_every_image_are_called_identical(tmp_path, capsys):
    paths = [write(tmp_path / f"{name}.npz", "npz") for name in "ab"]
    options = [*FEW, "--reference", "a", "--resamples", "100"]
    rows = json.loads(run(capsys, *paths, *options, "--format", "json")[1])
    reasons = {(row["metric"], row["difference"], row["difference_reason"]) for row in rows if row["name"] == "b"}
    assert reasons == {(metric, 0.0, "the arms are identical") for metric in ("accuracy", "auroc", "nll")}
    out = run(capsys, *paths, *options)[1]
    assert out.count("identical") == 4 and "+0.0000" not in out


def test_wide_tables_go_on_below(pair, capsys):
    everything = run(capsys, pair[0], "--val", pair[1], "--resamples", "100")[1]
    assert max(map(len, everything.splitlines()[:60])) <= 120 and "Empty" not in everything
    heads = [line.split() for line in everything.splitlines() if line.startswith("metric")]
    assert [name for head in heads for name in head[1:]] == [
        name for name in names_in(scoring.FOLDER) if not scoring.is_column(name)
    ]
    assert everything.count("brier") == 1 and everything.count("augrc") == len(heads)  # no rows of nothing


def test_every_split_has_its_own_n_and_single_corruptions_are_left_out(tmp_path, capsys):
    splits = {"val": OTHER, "test": LOGITS, "ood-far": OTHER[:9], "blur-1": LOGITS[:20], "blur-2": OTHER[:30]}
    path = table_of(tmp_path / "a.parquet", splits)
    out = run(capsys, path)[1]
    headings = [line.split(":")[0] for line in out.splitlines() if line.startswith("a on ")]
    assert headings == [
        "a on test (n = 50)",
        "a on ood-far (n = 59, test included)",
        "a on corrupted-mean (n = 50)",
    ]
    assert "not shown: 3 splits of single corruptions; name them by --splits" in out
    out = run(capsys, path, "--splits", "blur-2", "val", "--scores", "msp")[1]
    assert "val (n = 50), msp" in out and "blur-2 (n = 30), msp" in out and "not shown" not in out
    other = table_of(tmp_path / "b.parquet", {"test": LOGITS[:40]})
    assert "test (n = 50 of a, 40 of b), msp" in run(capsys, path, other, "--scores", "msp")[1]


@pytest.mark.parametrize("scale", [1e5, 1e-5])
def test_a_temperature_at_its_bound_is_marked(tmp_path, capsys, scale):
    sure = (
        scale * 9 * np.eye(C)[LABELS] if scale < 1 else -np.eye(C)[LABELS]
    )  # correct, or incorrect, at any temperature
    path = write(tmp_path / "a.npz", "npz", sure)
    out = run(capsys, path, "--val", path, "--scores", "msp-ts")[1]
    bound = softmax.TEMPERATURE_BOUNDS[int(scale > 1)]
    assert f"msp-ts: temperature {bound:.4f} (at its bound), chosen on val" in out
    assert "at its bound" not in run(capsys, write(tmp_path / "b.npz", "npz"), "--val", tmp_path / "b.npz")[1]


def test_markdown_and_latex(pair, capsys):
    known = values(capsys, *pair, *FEW)
    head, _, first = run(capsys, *pair, *FEW, "--format", "markdown")[1].splitlines()[2:5]
    assert [word.strip() for word in head.split("|")] == ["", "score", "metric", "a", "b_1", ""]
    accuracies = [known[name, "none", "accuracy"] for name in ("a", "b_1")]
    assert [word.strip() for word in first.split("|")] == ["", "", "accuracy", *accuracies, ""]
    out = run(capsys, *pair, *FEW, "--format", "latex")[1]
    assert r"score & metric & a & b\_1 \\" in out and "\\toprule" in out and "\\bottomrule" in out
    assert rf" & accuracy & {' & '.join(accuracies)} \\" in out
    assert all(line.startswith(("%", "\\", " &", "msp", "energy", "score")) for line in out.splitlines() if line)


# ---- files ----


@pytest.mark.parametrize("suffix", ["parquet", "csv", "json", "CSV"])
@pytest.mark.parametrize("compared", [False, True])
def test_the_suffix_decides_how_the_numbers_are_written(pair, capsys, tmp_path, suffix, compared):
    val = [shutil.copy(path, tmp_path / f"val-{i}{path.suffix}") for i, path in enumerate(pair)]
    options = [*FEW, "--val", *val, *(["--reference", "a", "--resamples", "100"] if compared else [])]
    path = tmp_path / f"m.{suffix}"
    code, out, err = run(capsys, *pair, *options, "--format", "json", "--output", path)
    rows = json.loads(out)
    assert (code, err) == (0, "") and ("difference" in rows[0]) == compared
    if suffix == "json":
        assert json.loads(path.read_text()) == rows
        return
    found = pd.read_parquet(path) if suffix == "parquet" else pd.read_csv(path)
    for name in ("name", "split", "score", "metric", "value", "low", *(["difference", "p"] if compared else [])):
        expected = pd.DataFrame(rows)[name].astype(found[name].dtype)
        pd.testing.assert_series_equal(found[name], expected, check_dtype=False, rtol=1e-12)
    if suffix == "parquet":
        table_files.read_table(path, METRICS_SCHEMA)


def test_json_and_csv_have_what_was_chosen(pair, capsys, tmp_path):
    options = ["--val", pair[1], "--scores", "msp", "msp-ts", "pnorm"]
    out = run(capsys, pair[0], *options, "--format", "json", "--output", tmp_path / "m.csv")[1]
    chosen = {row["score"]: row["chosen_on_val"] for row in json.loads(out)}
    assert chosen["msp-ts"] == {"temperature": softmax.fit_temperature(OTHER, LABELS)}
    assert chosen["msp"] is None and chosen["none"] is None and len(chosen["pnorm"]) == 1
    cells = pd.read_csv(tmp_path / "m.csv").drop_duplicates("score").set_index("score").chosen_on_val
    assert json.loads(cells["msp-ts"]) == chosen["msp-ts"] and pd.isna(cells["msp"])


# ---- the docs ----


def test_the_example_of_the_docs_prints_what_the_docs_show(tmp_path):
    section = DOCS.read_text().split("## Predictions from elsewhere\n")[1].split("\n## ")[0]
    blocks = [
        textwrap.dedent(block).strip("\n") for block in re.findall(r"(?:(?: {4}.*)?\n)+", section) if block.strip()
    ]
    blocks = "\n".join(blocks)
    head, program, command, printed = re.search(
        r"^(label,.*?)\n(import .*?)\npython (.*?nll)\n\n(.*)$", blocks, re.DOTALL
    ).groups()
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)
    assert (tmp_path / "a.csv").read_text().startswith(head)
    script, *words = command.replace("\\\n", "").split()
    assert Path(script).name == SCRIPT.name
    options = {"env": os.environ | {"COLUMNS": "120"}, "capture_output": True, "text": True, "check": True}
    assert subprocess.run([sys.executable, SCRIPT, *words], cwd=tmp_path, **options).stdout.strip() == printed.strip()


# ---- the end ----


def test_a_reader_that_has_seen_enough_is_no_fault(pair):
    """What is printed is more than a pipe holds."""
    val = shutil.copy(pair[1], pair[1].with_stem("val"))
    files = f"{pair[0]} {pair[1]} --val {val} {val}"
    command = f"set -o pipefail; {sys.executable} {SCRIPT} {files} --format json | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (141, "[\n", "")


def test_an_interrupt_is_one_line(tmp_path):
    """Sent when the command is known to compute: it has read both files and warned that their labels differ."""
    paths = [
        write(tmp_path / "a.npz", "npz"),
        write(tmp_path / "b.npz", "npz", np.tile(OTHER, (200, 1)), np.tile(LABELS, 200)),
    ]
    command = [sys.executable, "-u", SCRIPT, *paths, "--resamples", "20000", "--scores", "msp", "--metrics", "auroc"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert "a has 50 rows and b 10,000" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", "evaluate_predictions: interrupted\n")
