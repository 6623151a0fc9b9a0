"""Models from elsewhere: how they are named, which of their splits are read, and how they differ."""

import json
from pathlib import Path

import numpy as np
import pytest
from foreign_files import LABELS, LOGITS, OTHER, N, run, table_of, write
from scipy.stats import t as student

from selfdoubt.evaluation.bootstrap import resample_weights
from selfdoubt.external.models import short_names


def rows_of(capsys, *arguments) -> dict:
    code, out, err = run(capsys, *arguments, "--format", "json")
    assert (code, err) == (0, "")
    return {(row["name"], row["split"], row["score"], row["metric"]): row for row in json.loads(out)}


# ---- names ----

NAMES = {
    "stems": (["x/good.csv", "x/other.csv"], ["good", "other"]),
    "folders": (["r/ce/replicate-1/clean.npz", "r/kd/replicate-1/clean.npz"], ["ce", "kd"]),
    "folders and seeds": (
        ["r/ce/replicate-1/clean.npz", "r/ce/replicate-2/clean.npz", "r/kd/replicate-1/clean.npz"],
        ["ce/replicate-1", "ce/replicate-2", "kd/replicate-1"],
    ),
    "suffixes": (["x/good.csv", "x/good.npz"], ["good.csv", "good.npz"]),
    "another depth": (["x/good.csv", "x/y/good.csv"], ["good", "y/good"]),
    "one within another": (["x/a.csv", "x/a/a.csv"], ["a", "a/a"]),
    "one": (["x/good.csv"], ["good"]),
    "repeated at the end": (["a/b/b.csv", "b/b/b.csv"], ["a", "b"]),
}


@pytest.mark.parametrize("name", NAMES)
def test_names_are_the_shortest_part_that_differs(name):
    paths, names = NAMES[name]
    assert short_names([Path(path) for path in paths]) == names


# ---- splits ----


def test_chosen_splits_have_the_numbers_that_they_have_among_all(tmp_path, capsys):
    splits = {"val": OTHER, "test": LOGITS, "ood-far": OTHER[:9], "blur-1": LOGITS[:20], "blur-2": OTHER[:30]}
    path = table_of(tmp_path / "a.parquet", splits)
    everything = rows_of(capsys, path)
    for chosen in (["ood-far"], ["blur-mean", "test"], ["corrupted-mean"], ["blur-2"], ["val"]):
        found = rows_of(capsys, path, "--splits", *chosen)
        assert {split for _, split, *_ in found} == set(chosen)
        assert all(
            row["value"] == everything[key]["value"] and row["n"] == everything[key]["n"] for key, row in found.items()
        )
    accuracies = [everything["a", f"blur-{k}", "none", "accuracy"]["value"] for k in (1, 2)]
    assert found_mean(everything) == pytest.approx(np.mean(accuracies))
    code, _, err = run(capsys, path, "--splits", "blur")
    assert code == 2 and "--splits: 'blur'" in err and "val, test, ood-far, blur-1, blur-2, blur-mean, corr" in err


def found_mean(rows: dict) -> float:
    return rows["a", "corrupted-mean", "none", "accuracy"]["value"]


@pytest.mark.parametrize("splits", [["val"], ["val", "ood-far"]])
def test_a_table_without_test_is_refused(tmp_path, capsys, splits):
    path = table_of(tmp_path / "a.parquet", dict.fromkeys(splits, LOGITS))
    code, out, err = run(capsys, path)
    assert (code, out, err.count("\n")) == (2, "", 1) and f"{path}: has no split 'test'" in err


def test_a_split_that_cannot_be_read_has_a_note_and_the_others_are_shown(tmp_path, capsys):
    broken = LOGITS.copy()
    broken[3, 1] = np.nan
    path = table_of(tmp_path / "a.parquet", {"test": LOGITS, "shifted-new": broken})
    code, out, _ = run(capsys, path, "--scores", "msp")
    assert code == 0 and "test (n = 50), msp" in out and "Empty" not in out and "shifted-new (n" not in out
    assert "no accuracy on shifted-new: shifted-new: row 3" in out and " for msp on shifted-new: shifted-new: ro" in out
    path = table_of(tmp_path / "b.parquet", {"test": broken})
    code, out, err = run(capsys, path)
    assert (code, out) == (2, "") and err.startswith(
        f"evaluate_predictions: {path}: has no number to show: test: row 3"
    )


# ---- several models ----


def test_other_labels_give_one_warning(tmp_path, capsys):
    names = {"a": LABELS, "b": LABELS, "c": np.where(np.arange(N) == 4, LABELS ^ 1, LABELS)}
    paths = [write(tmp_path / f"{name}.npz", "npz", LOGITS, labels) for name, labels in names.items()]
    code, _, err = run(capsys, *paths, "--scores", "msp")
    assert (code, err.count("\n")) == (0, 1) and "the label of row 4" in err and "in c; " in err
    assert run(capsys, *paths[:2], "--scores", "msp")[2] == ""


def by_hand(n: int, purpose: str, n_resamples: int) -> np.ndarray:
    return np.concatenate([draw() for draw in resample_weights(n, n_resamples, purpose)]).astype(float)


def test_differences_are_paired_by_samples(tmp_path, capsys):
    """Accuracy by hand: of each resample the weighted fraction of what is correct, one minus the other."""
    paths = [write(tmp_path / "a.npz", "npz"), write(tmp_path / "b.npz", "npz", OTHER)]
    found = rows_of(capsys, *paths, "--reference", "b", "--resamples", "200", "--scores", "msp")
    correct = [(logits.argmax(1) == LABELS).astype(float) for logits in (LOGITS, OTHER)]
    weights = by_hand(N, "bootstrap/test", 200)
    differences = weights @ (correct[0] - correct[1]) / N
    row = found["a", "test", "none", "accuracy"]
    assert row["difference"] == pytest.approx(correct[0].mean() - correct[1].mean()) and row["reference"] == "b"
    error, freedom = differences.std(ddof=1), np.count_nonzero(correct[0] != correct[1]) - 1
    reach = student.ppf(0.975, freedom) * error
    middle = row["difference"]
    assert [row["difference_low"], row["difference_high"]] == pytest.approx([middle - reach, middle + reach])
    assert row["p"] == pytest.approx(2 * student.sf(abs(middle) / error, freedom))
    assert [row["low"], row["high"]] == pytest.approx(np.quantile(weights @ correct[0] / N, [0.025, 0.975]))
    of_reference = found["b", "test", "none", "accuracy"]
    assert (of_reference["difference"], of_reference["p"]) == (None, None) and of_reference["low"] is not None
    classwise = found["a", "test", "msp", "ece-classwise"]  # which has no form for resamples
    assert classwise["difference"] == classwise["value"] - found["b", "test", "msp", "ece-classwise"]["value"]
    assert classwise["p"] is None


def test_a_comparison_has_the_intervals_that_each_model_has_alone(tmp_path, capsys):
    paths = [write(tmp_path / "a.npz", "npz"), write(tmp_path / "b.npz", "npz", OTHER)]
    options = ["--ood", *paths, "--resamples", "100", "--scores", "msp", "energy"]
    alone = rows_of(capsys, *paths, *options)
    compared = rows_of(capsys, *paths, *options, "--reference", str(paths[0]))
    assert alone.keys() == compared.keys()
    for key, row in alone.items():
        assert (row["low"], row["high"]) == (compared[key]["low"], compared[key]["high"])
        assert row["low"] is not None or row["value"] is None or row["metric"] == "ece-classwise"
    assert compared["b", "ood-given", "msp", "ood-auroc"]["p"] is not None


def test_models_with_other_splits_are_compared_on_what_they_share(tmp_path, capsys):
    first = table_of(tmp_path / "a.parquet", {"test": LOGITS, "blur-1": LOGITS, "blur-2": LOGITS})
    second = table_of(tmp_path / "b.parquet", {"test": OTHER, "blur-1": OTHER, "fog-1": OTHER})
    found = rows_of(capsys, first, second, "--resamples", "100", "--reference", "a", "--metrics", "accuracy")
    compared = {split for (name, split, *_), row in found.items() if name == "b" and row["p"] is not None}
    assert compared == {"test", "blur-1"}  # not the means, which are over others
    assert found["b", "fog-1", "none", "accuracy"]["difference"] is None
    assert found["b", "blur-mean", "none", "accuracy"]["difference"] is None


def test_logits_that_sum_to_one_can_be_insisted_on(tmp_path, capsys):
    p = np.exp(LOGITS) / np.exp(LOGITS).sum(1, keepdims=True)
    path = write(tmp_path / "p.npz", "npz", p)
    shown = ["--scores", "msp", "--metrics", "accuracy", "nll"]
    insisted, meant = (rows_of(capsys, path, option, *shown) for option in ("--logits", "--probabilities"))
    key, nll = ("p", "test", "none", "accuracy"), ("p", "test", "msp", "nll")
    assert insisted[key]["value"] == meant[key]["value"] and insisted[nll]["value"] > meant[nll]["value"]
    p[7] *= 1.1  # one row that does not sum to one is enough
    assert run(capsys, write(tmp_path / "q.npz", "npz", p), *shown)[0] == 0
