"""Predictions from elsewhere: numbers of one model and of several, and one line for every wrong call."""

import json
import os
import subprocess
import sys
import weakref

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from foreign_files import DRAWS, LABELS, LOGITS, SCRIPT, C, N, pipelines, run, run_all, suffix, wide, write

import evaluate_predictions
from selfdoubt.evaluation import rankings, softmax
from selfdoubt.external import files, numbers
from selfdoubt.runtime import table_files
from selfdoubt.runtime.schemas.guarantees import GUARANTEES_SCHEMA
from selfdoubt.runtime.schemas.metrics import METRICS_SCHEMA


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
    table = table_files.read_table(tmp_path / "m.parquet", METRICS_SCHEMA).to_pandas()
    assert code == 0 and set(table.split) == {"test", "ood-given"} and set(table.name) == {"a"}
    auroc = table[(table.metric == "auroc") & (table.score == "msp")].iloc[0]
    assert auroc.low < auroc.value < auroc.high
    assert f"{auroc.value:.4f} [{auroc.low:.4f}, {auroc.high:.4f}]" in out
    assert float(table[(table.metric == "ood-auroc") & (table.score == "msp")].value.iloc[0]) == 0.5  # the same images
    assert "no number for" in out and "no samples in val" in out  # nothing to fit msp-ts and pnorm on


def test_what_was_chosen_on_val_is_printed(tmp_path, capsys):
    path, output = write(tmp_path / "a.csv", "csv"), tmp_path / "m.parquet"
    _, out, _ = run(capsys, path, "--val", path, "--output", output)
    chosen = table_files.read_metadata(output)["chosen_on_val"]["a"]
    assert chosen["msp-ts"]["temperature"] == softmax.fit_temperature(LOGITS, LABELS)
    assert f"msp-ts: temperature {chosen['msp-ts']['temperature']:.4f}, chosen on val" in out
    ((what, value),) = chosen["pnorm"].items()
    assert f"pnorm: {what} {value}, chosen on val" in out
    _, out, _ = run(capsys, path, "--output", output)
    assert table_files.read_metadata(output)["chosen_on_val"] == {"a": {}} and "chosen on val" not in out


def test_a_table_of_the_pipeline_has_its_own_splits(tmp_path, capsys):
    table = pipelines(tmp_path / "clean.parquet")
    alone = write(tmp_path / "alone.csv", "csv", LOGITS.astype(np.float32))
    code, out, _ = run(capsys, table, "--format", "json")
    _, same, _ = run(capsys, alone, "--val", alone, "--ood", alone, "--format", "json")
    of_split = {"ood-far": "ood-given"}
    values, others = (
        {
            (of_split.get(row["split"], row["split"]), row["score"], row["metric"]): row["value"]
            for row in json.loads(each)
        }
        for each in (out, same)
    )
    assert code == 0 and values == pytest.approx(others, abs=1e-6)  # float64 against float32


@pytest.mark.parametrize("option", ["--val", "--ood", "--probabilities"])
def test_what_a_table_of_the_pipeline_has_itself_is_refused(tmp_path, capsys, option):
    table = pipelines(tmp_path / "clean.parquet")
    code, _, err = run(capsys, table, option, *([] if option == "--probabilities" else [table]))
    assert code == 2 and err.count("\n") == 1 and f"leave out {option}" in err


@pytest.mark.parametrize("kind", ["csv", "parquet-list", "npz"])
def test_splits_of_another_table_are_not_mixed(tmp_path, capsys, kind):
    path = tmp_path / f"a.{suffix(kind)}"
    if kind == "npz":
        np.savez(path, logits=LOGITS, label=LABELS, split=LABELS)
    elif kind == "csv":
        wide().assign(split="test").to_csv(path, index=False)
    else:
        pq.write_table(pa.table({"label": LABELS, "logits": pa.array(list(LOGITS)), "split": ["test"] * N}), path)
    code, _, err = run(capsys, path)
    assert code == 2 and err.count("\n") == 1 and "has a column 'split'" in err


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


HAND = """\
label,logit_0,logit_1
0,2.5,-1
1,0,1
1,3,2
0,1.5,1
1,-2,0.5
"""


def test_a_file_written_by_hand_is_evaluated_by_the_command(tmp_path):
    (tmp_path / "hand.csv").write_text(HAND)
    options = {"env": os.environ | {"COLUMNS": "100"}, "capture_output": True, "text": True, "check": True}
    done = subprocess.run([sys.executable, SCRIPT, tmp_path / "hand.csv"], **options)
    heading, names, *lines = done.stdout.splitlines()
    numbers = lines[: lines.index("")]
    assert heading == "hand on test (n = 5): accuracy 0.8000" and done.stderr == ""
    assert names.split() == ["metric", "energy", "entropy", "gini", "logit-margin", "margin", "max-logit", "msp"]
    for name in ("energy", "gini"):  # aligned
        assert {line[names.index(name) - 1 :][:1] for line in numbers} <= {" ", ""}
    aurc = next(line for line in numbers if line.startswith("aurc"))
    assert aurc.split()[:2] == ["aurc", "×10³"]


# ---- several models ----


def of_two_models(folder) -> tuple[list, list, list]:
    """Files on test, val and other images of models of four and of three classes."""
    fewer = (LOGITS[:, :3], LABELS % 3)
    first = [write(folder / f"{name}-4.npz", "npz", LOGITS, LABELS % 3) for name in ("test", "val", "ood")]
    second = [write(folder / f"{name}-3.npz", "npz", *fewer) for name in ("test", "val", "ood")]
    return tuple(zip(first, second, strict=True))


def test_each_model_has_its_own_files(tmp_path, capsys):
    test, val, ood = of_two_models(tmp_path)
    code, together, err = run(capsys, *test, "--val", *val, "--ood", *ood, "--format", "json")
    assert (code, err) == (0, "")
    alone = [
        row
        for i in (0, 1)
        for row in json.loads(run(capsys, test[i], "--val", val[i], "--ood", ood[i], "--format", "json")[1])
    ]
    assert json.loads(together) == alone
    code, out, err = run(capsys, *test, "--val", *reversed(val))
    assert (code, out, err.count("\n")) == (2, "", 1) and f"{val[1]}: has 3 classes and {test[0]} 4" in err


@pytest.mark.parametrize("option", ["--val", "--ood"])
def test_another_number_of_files_is_refused(tmp_path, capsys, option):
    paths = [write(tmp_path / f"{name}.npz", "npz") for name in "abc"]
    code, out, err = run(capsys, *paths, option, *paths[:2])
    assert (code, out, err.count("\n")) == (2, "", 1) and f"{option}: 2 files for 3 FILEs; give one" in err


def test_a_single_file_is_used_for_all_models_with_a_warning(tmp_path, capsys):
    paths = [write(tmp_path / f"{name}.npz", "npz") for name in "abc"]
    code, shared, err = run(capsys, *paths[:2], "--val", paths[2], "--format", "json")
    assert (code, err.count("\n")) == (0, 1) and f"--val {paths[2]}: used for all 2 FILEs" in err
    assert (0, shared, "") == run(capsys, *paths[:2], "--val", paths[2], paths[2], "--format", "json")


def test_a_file_is_read_once_and_held_while_a_model_needs_it(tmp_path, capsys, monkeypatch):
    paths = {name: write(tmp_path / f"{name}.npz", "npz") for name in "abcvw"}
    read, held, seen = files.read, {}, []

    def watched(path, *options):
        seen.append((path.stem, "".join(name for name, logits in held.items() if logits() is not None)))
        found = read(path, *options)
        held[path.stem] = weakref.ref(found.logits)
        return found

    monkeypatch.setattr(numbers, "read", watched)
    a, b, c, v, w = paths.values()
    assert run(capsys, a, b, c, "--val", v, w, v, "--format", "json")[0] == 0
    assert seen == [("a", ""), ("v", "a"), ("b", "v"), ("w", "vb"), ("c", "v")]


def test_models_are_named_by_stems_where_these_differ(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
    write(tmp_path / "x/good.csv", "csv")
    for name in ("x/good.npz", "x/other.npz", "y/good.npz", "x/odd\n\udcff.npz"):
        write(tmp_path / "new.npz", "npz").rename(tmp_path / name)

    def names(*files) -> list[str]:
        code, out, err = run(capsys, *files, "--scores", "energy", "--output", "m.parquet")
        table = table_files.read_table("m.parquet", METRICS_SCHEMA)
        assert (code, err) == (0, "") and all(name in out.splitlines()[1] for name in set(table["name"].to_pylist()))
        return list(dict.fromkeys(table["name"].to_pylist()))

    assert names("x/good.npz", "x/other.npz") == ["good", "other"]
    assert names("x/good.npz", "./y/good.npz") == ["x", "y"]
    assert names("x/good.csv", "./x/good.npz", "y/good.npz") == ["x/good.csv", "x/good.npz", "y/good.npz"]
    assert names("x/odd\n\udcff.npz") == [r"odd\n\udcff"]  # in one line, and as text that Parquet can hold


# ---- the call ----


def test_help_is_whole(capsys):
    code, out, _ = run(capsys, "--help")
    assert code == 0 and evaluate_predictions.__doc__ in out and "--val FILE [FILE ...]" in out and "--bins" in out


WRONG_CALLS = {  # what is named: the call
    "required: FILE": "",
    "--valid": "a.npz --valid",
    "--scores: 'foo' is not a score": "a.npz --scores foo",
    "argument --metrics: invalid choice: 'aucr'": "a.npz --metrics aucr",
    "argument --format: invalid choice: 'xml'": "a.npz --format xml",
    "argument --val: expected at least one": "a.npz --val",
    "argument --bins: '0' is not a whole number from 1 to 1000000": "a.npz --bins 0",
    "argument --bins: '1000001'": "a.npz --bins 1000001",
    "argument --bins: '1.5'": "a.npz --bins 1.5",
    "argument --resamples: '-1' is neither 0 nor a whole number of 100 or more": "a.npz --resamples -1",
    "argument --resamples: '99'": "a.npz --resamples 99",
    "name a file by --output": "a.npz --format parquet",
    "b.csv: the same file is given twice": "b.csv a.npz ./b.csv",
    "link.npz: the same file is given twice": "a.npz link.npz --output new.parquet",
    "--output folder/../a.npz: is one of the files": "b.csv --ood a.npz --output folder/../a.npz",
    "--output link.npz: is one of the files": "b.csv --val a.npz --output link.npz",
    "--output b.csv: is one of the files": "b.csv --output b.csv",
    "--output folder: is a folder": "a.npz --output folder",
    "--output new.txt: '.txt' is not one of .parquet, .csv, .json": "a.npz --output new.txt",
    "--output new.csv: is not Parquet": "a.npz --format parquet --output new.csv",
    "--output a.npz/new.parquet: ": "b.csv --output a.npz/new.parquet",
    "--splits: 'tset' is not in a.npz; it has test": "a.npz --splits tset",
    "argument --logits: not allowed with argument --probabilities": "a.npz --probabilities --logits",
    "p.csv: rows sum to one: are they probabilities? add --probabilities": "p.csv",
    "q.csv: rows sum to one": "a.npz --val q.csv",
    "d/../p.csv: rows sum to one": "a.npz --ood d/../p.csv",
    "--reference: 'aa' is no model; did you mean 'a'? Models: a, b": "a.npz b.csv --reference aa",
    "--reference: there is but one FILE": "a.npz --reference a",
    "--reference: needs --resamples of 100 or more": "a.npz b.csv --reference a --resamples 0",
    "--ood-percent: needs --ood": "a.npz --ood-percent 50",
    "--metrics failure-aurc: needs --ood": "a.npz --metrics accuracy failure-aurc",
    "--metrics ood-auroc-severity: needs --ood": "a.npz --metrics ood-auroc-severity",
    "test: a has 50 rows and s 49": "a.npz s.npz --reference a",
    f"the label of row 7 (counted from 0) is {LABELS[7]} in a and {LABELS[7] ^ 1} in r": "a.npz r.npz --reference r",
    "a.npz: has no number to show: no samples in val": "a.npz --scores msp-ts --metrics auroc",
    "a.npz: has no number to show: no such metric": "a.npz --ood r.npz --metrics auroc --splits ood-given",
    "a.npz: no such file": "a.npz/a.npz",
    "c.npz: has 3 classes and a.npz 4 classes; give predictions of one model": "a.npz --val c.npz",
}


def test_a_wrong_call_is_refused_in_one_line_and_writes_nothing(tmp_path):
    (tmp_path / "folder").mkdir()
    write(tmp_path / "a.npz", "npz")
    write(tmp_path / "b.csv", "csv")
    write(tmp_path / "c.npz", "npz", LOGITS[:, :3], LABELS % 3)
    (tmp_path / "link.npz").symlink_to("a.npz")
    (tmp_path / "d").mkdir()
    for name in "pq":
        write(tmp_path / f"{name}.csv", "csv", np.full((N, C), 1 / C))
    write(tmp_path / "s.npz", "npz", LOGITS[:-1], LABELS[:-1])
    write(tmp_path / "r.npz", "npz", LOGITS, np.where(np.arange(N) == 7, LABELS ^ 1, LABELS))

    def contents() -> dict:
        return {path.name: path.is_file() and path.read_bytes() for path in tmp_path.iterdir() if path.stem.isalpha()}

    before, unlike = contents(), {}
    outcomes = run_all([call.split() for call in WRONG_CALLS.values()], tmp_path)
    assert contents() == before
    for named, (code, out, err) in zip(WRONG_CALLS, outcomes, strict=True):
        one_line = (code, out, err.count("\n")) == (2, "", 1) and err.startswith("evaluate_predictions: ")
        if not one_line or named not in err:
            unlike[named] = err
    assert not unlike


# ---- out of distribution, and what has no number ----


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
    assert code == 0 and len(set(levels)) == 4  # windows


def notes(capsys, *arguments) -> list[str]:
    return [line for line in run(capsys, *arguments)[1].splitlines() if line.startswith("no ")]


def test_what_has_no_number_is_named_with_its_reason(tmp_path, capsys):
    path, scores = write(tmp_path / "a.csv", "csv"), ["--scores", "msp", "msp-ts", "energy", "pnorm"]
    of_scores, of_severities = notes(capsys, path, "--ood", path, *scores)
    assert "msp-ts, pnorm" in of_scores and "give --val FILE" in of_scores
    assert "ood-auroc-severity-* for msp, energy" in of_severities and "ood-given" in of_severities


# ---- memory ----

LIMITED = """
import re, resource, sys
from pathlib import Path
import evaluate_predictions

sys.argv = ["evaluate_predictions.py", "small.parquet", "--scores", "max-logit"]
evaluate_predictions.main()  # threads have their stacks now, packages what they load when they are first used
data = 1024 * int(re.search(r"VmData:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
resource.setrlimit(resource.RLIMIT_DATA, (data + 80 * 2**20,) * 2)
for name in ("large.parquet", "large.npz"):
    sys.argv[1] = name
    evaluate_predictions.main()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
def test_files_larger_than_memory_are_evaluated(tmp_path):
    """With 80 MiB more than a small file needs: 183 MiB of logits, which are mapped and no data of the process."""
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


def test_guarantees_are_printed_and_written_in_the_pipelines_schema(tmp_path, capsys):
    path, given = write(tmp_path / "a.csv", "csv"), tmp_path / "confidences.csv"
    frame = pd.DataFrame({"label": LABELS, "prediction": LOGITS.argmax(1), "confidence": LOGITS.max(1)})
    frame.to_csv(given, index=False)
    options = ["--target-risks", "0.5", "--alphas", "0.2", "--resplits", "20", "--guarantees"]
    for file, n_methods in ((path, 4), (given, 1)):
        code, out, _ = run(capsys, file, "--val", file, *options, tmp_path / "g.parquet")
        table = table_files.read_table(tmp_path / "g.parquet", GUARANTEES_SCHEMA).to_pandas()
        known = table.dropna(subset="value")
        assert code == 0 and known.method.nunique() == n_methods
        assert f"{known[known.quantity == 'coverage'].value.iloc[0]:.4f}" in out
    _, out, _ = run(capsys, path, *options, tmp_path / "g.csv")
    assert "no samples in val; give --val FILE" in out
    assert pd.read_csv(tmp_path / "g.csv").value.isna().all()
    for wrong, what in (
        (["--guarantees", "g.csv"], "--target-risks"),
        (["--delta", "0.1"], "--delta: needs --target-risks"),
        (["--alphas", "1"], "fraction between 0 and 1"),
    ):
        code, _, err = run(capsys, path, *wrong)
        assert code == 2 and err.count("\n") == 1 and what in err


def test_failures_with_ood_images_are_mixed_at_a_stated_percentage(tmp_path, capsys):
    path, ood = write(tmp_path / "a.csv", "csv"), write(tmp_path / "ood.csv", "csv", LOGITS[:20], LABELS[:20])
    options = ["--scores", "msp", "--metrics", "failure-aurc", "fpr95", "--ood-percent", "50", "--format", "json"]
    code, out, _ = run(capsys, path, "--ood", ood, *options)
    found = {(row["split"], row["metric"]): row["n"] for row in json.loads(out)}
    assert code == 0
    assert found == {("test", "fpr95"): 50, ("ood-given", "failure-aurc"): 70, ("ood-given@50", "failure-aurc"): 40}
    assert run(capsys, path, "--ood-percent", "100")[0] == 2
