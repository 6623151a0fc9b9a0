"""Predictions to rows of the metrics table, and two arms to a comparison."""

from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from selfdoubt import evaluation, metrics, scores
from selfdoubt.errors import UserError
from selfdoubt.evaluation import Predictions, compare, evaluate
from selfdoubt.metrics import Undefined, direction
from selfdoubt.schemas import SCHEMAS, predictions_schema, read_table, write_rows, write_table

IDENTITY = {"dataset": "d", "name": "ce", "role": "baseline", "seed": 1, "variant": "clean"}
SETTINGS = SimpleNamespace(
    scores=list(scores.SCORES),
    selective_accuracies_percent=[90, 99.5],
    coverages_percent=[80],
    ece_bins=15,
    n_resamples=200,
    resampled_splits=["test"],
)
RANKING = ["auroc", "aurc", "e-aurc", "naurc", "augrc"]
RANKING += ["coverage-at-sac-90", "coverage-at-sac-99.5", "risk-at-coverage-80"]
CALIBRATION = ["ece", "ece-adaptive", "ece-classwise", "mce", "nll", "brier"]
OOD = ["ood-auroc", "ood-aupr-in", "ood-aupr-out", "ood-fpr95"]


def split_of(seed, n, n_classes=4, evidence=2.0):
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, n_classes, n)
    logits = generator.normal(0, 1, (n, n_classes)) + evidence * np.eye(n_classes)[labels]
    return Predictions(logits.astype(np.float32), labels)


def predictions_of(seed=0):
    ood = Predictions(split_of(seed + 3, 60).logits / 2, np.full(60, -1))
    return {
        "val": split_of(seed, 150),
        "test": split_of(seed + 1, 200),
        "ood-digits": ood,
        "blur-1": split_of(seed + 2, 80, evidence=1.0),
    }


def find(rows, **place):
    (row,) = [row for row in rows if all(row[key] == value for key, value in place.items())]
    return row


@pytest.fixture(scope="module")
def rows():
    return evaluate(predictions_of(), SETTINGS, IDENTITY)


def test_every_number_has_its_row(rows):
    labelled = [("none", "accuracy")]
    labelled += [(score, metric) for score in SETTINGS.scores for metric in RANKING]
    labelled += [(score, metric) for score in ("msp", "msp-ts") for metric in CALIBRATION]
    expected = {(split, *pair) for split in ("val", "test", "blur-1") for pair in labelled}
    expected |= {("ood-digits", score, metric) for score in SETTINGS.scores for metric in OOD}
    assert {(row["split"], row["score"], row["metric"]) for row in rows} == expected
    assert len(rows) == len(expected)
    assert all(direction(row["metric"]) in (-1, 1) for row in rows)
    assert all(row["value"] is not None and row["reason"] is None for row in rows)
    assert {row["n"] for row in rows if row["split"] == "ood-digits"} == {200 + 60}


def test_rows_fit_the_schema_of_the_metrics_table(rows, tmp_path):
    write_rows(tmp_path / "metrics.parquet", rows, SCHEMAS["metrics"])
    assert read_table(tmp_path / "metrics.parquet", SCHEMAS["metrics"]).to_pylist() == rows


def test_values_are_those_of_the_metrics(rows):
    test, val = predictions_of()["test"], predictions_of()["val"]
    logits, correct = test.logits.astype(float), test.logits.argmax(-1) == test.labels
    temperature = scores.fit_temperature(val.logits, val.labels)
    assert find(rows, split="test", metric="accuracy")["value"] == correct.mean()
    for score, t in (("msp", 1.0), ("msp-ts", temperature)):
        p = np.exp(logits / t) / np.exp(logits / t).sum(-1, keepdims=True)
        right = p[np.arange(200), test.labels]
        expected = {
            "aurc": metrics.aurc(scores.msp(logits, t), correct),
            "coverage-at-sac-99.5": metrics.coverage_at_accuracy(scores.msp(logits, t), correct, percent=99.5),
            "ece": metrics.ece(p.max(-1), correct, 15),
            "ece-adaptive": metrics.ece_adaptive(p.max(-1), correct, 15),
            "ece-classwise": metrics.ece_classwise(p, test.labels, 15),
            "mce": metrics.mce(p.max(-1), correct, 15),
            "nll": -np.log(right).mean(),
            "brier": ((p**2).sum(-1) - 2 * right + 1).mean(),
        }
        found = {name: find(rows, split="test", score=score, metric=name)["value"] for name in expected}
        assert found == pytest.approx(expected)
    ood = predictions_of()["ood-digits"]
    energy = np.concatenate([scores.energy(test.logits), scores.energy(ood.logits)])
    auroc = metrics.auroc(energy, np.arange(260) < 200)
    assert find(rows, score="energy", metric="ood-auroc")["value"] == auroc


def test_intervals_only_where_asked_for_and_there_is_a_form_for_resamples(rows):
    for row in rows:
        known = row["split"] == "test" and row["metric"] not in ("ece-adaptive", "ece-classwise", "mce")
        assert (row["low"] is not None) == (row["high"] is not None) == known, row
    for row in (find(rows, split="test", score="msp", metric=name) for name in ("auroc", "aurc", "nll", "brier")):
        assert row["low"] < row["value"] < row["high"]


def test_the_interval_is_that_of_samples_drawn_out(rows):
    test = predictions_of()["test"]
    (weights,) = evaluation._weights({"test": 200}, 200)
    drawn = [np.repeat(np.arange(200), counts.astype(int)) for counts in weights]
    confidence = scores.gini(test.logits)
    values = [metrics.aurc(confidence[rows_drawn], test.correct[rows_drawn]) for rows_drawn in drawn]
    row = find(rows, split="test", score="gini", metric="aurc")
    assert (row["low"], row["high"]) == pytest.approx(tuple(np.quantile(values, [0.025, 0.975])))


def test_every_model_meets_the_same_resamples():
    first, second = (np.concatenate(list(evaluation._weights({"test": 300}, 20))) for _ in range(2))
    assert (first == second).all()
    (both,) = evaluation._weights({"test": 300, "ood-x": 50}, 20)
    assert (both[:, :300] == first).all()
    assert (both[:, 300:].sum(1) == 50).all()  # each split keeps its number of samples
    (other,) = evaluation._weights({"blur-1": 300}, 20)
    assert (other != first).any()


def test_row_order_changes_nothing(rows):
    shuffled = {}
    for name, sample in predictions_of().items():
        order = np.random.default_rng(0).permutation(len(sample.labels))
        shuffled[name] = Predictions(sample.logits[order], sample.labels[order])
    again = evaluate(shuffled, SETTINGS, IDENTITY)
    assert [row["value"] for row in again] == pytest.approx([row["value"] for row in rows], rel=1e-6, abs=1e-9)


def test_the_reported_label_decides_what_is_correct():
    predictions = predictions_of()
    sample = predictions["test"]
    predictions["test"] = Predictions(sample.logits, sample.labels, predicted=sample.labels.astype(np.int16))
    found = evaluate(predictions, SETTINGS, IDENTITY)
    assert find(found, split="test", metric="accuracy")["value"] == 1
    assert find(found, split="test", score="msp", metric="aurc")["value"] == 0
    assert find(found, split="test", score="msp", metric="auroc")["reason"] == "no wrong samples"


def test_a_tie_of_logits_is_the_lowest_class():
    sample = Predictions(np.array([[1.0, 1.0], [0.0, 0.0]], dtype=np.float32), np.array([0, 1]))
    assert sample.correct.tolist() == [True, False]


# ---- numbers that do not exist ----


@pytest.mark.parametrize("fault", [np.nan, np.inf, -np.inf])
def test_infinite_logits_name_the_first_offending_row(fault, rows):
    predictions = predictions_of()
    logits = predictions["test"].logits.copy()
    logits[[17, 30], 2] = fault
    found = evaluate(predictions | {"test": Predictions(logits, predictions["test"].labels)}, SETTINGS, IDENTITY)
    assert len(found) == len(rows)  # none is dropped
    for before, row in zip(rows, found, strict=True):
        if row["split"] in ("test", "ood-digits"):
            assert row["reason"] == "test: row 17 has a logit that is not finite"
            assert row["value"] is row["low"] is row["high"] is None
        else:
            assert row == before


def test_val_that_cannot_be_fitted_on_takes_only_the_fitted_scores(rows):
    predictions = predictions_of()
    del predictions["val"]
    for row in evaluate(predictions, SETTINGS, IDENTITY):
        fitted = row["score"] in ("msp-ts", "pnorm")
        assert row["reason"] == ("no samples in val" if fitted else None)
        assert (row["value"] is None) == fitted


def test_empty_splits_have_reasons():
    predictions = predictions_of()
    nothing = Predictions(np.empty((0, 4), dtype=np.float32), np.empty(0, dtype=np.int64))
    found = evaluate(predictions | {"test": nothing}, SETTINGS, IDENTITY)
    reasons = {row["reason"] for row in found if row["split"] in ("test", "ood-digits")}
    assert reasons == {"no samples in test"}
    del predictions["test"]
    assert find(evaluate(predictions, SETTINGS, IDENTITY), score="msp", metric="ood-auroc")["reason"] == (
        "no samples in test"
    )


def test_a_labelled_split_with_a_label_that_is_no_class():
    predictions = predictions_of()
    labels = predictions["blur-1"].labels.copy()
    labels[5] = -1
    found = evaluate(predictions | {"blur-1": Predictions(predictions["blur-1"].logits, labels)}, SETTINGS, IDENTITY)
    reasons = {row["reason"] for row in found if row["split"] == "blur-1"}
    assert reasons == {"blur-1: row 5 has label -1, which is none of 4 classes"}


def test_all_correct_none_correct_and_one_sample():
    base = predictions_of()
    logits, right = base["test"].logits, base["test"].logits.argmax(-1)
    for name, sample, accuracy, reason in (
        ("all", Predictions(logits, right), 1, "no wrong samples"),
        ("none", Predictions(logits, (right + 1) % 4), 0, "no correct samples"),
        ("one", Predictions(logits[:1], right[:1]), 1, "no wrong samples"),
    ):
        found = evaluate({"val": base["val"], "test": sample}, SETTINGS, IDENTITY)
        assert find(found, split="test", metric="accuracy")["value"] == accuracy, name
        for metric in ("auroc", "naurc"):
            row = find(found, split="test", score="energy", metric=metric)
            assert (row["value"], row["low"], row["reason"]) == (None, None, reason), name
        others = [row for row in found if row["split"] == "test" and row["metric"] not in ("auroc", "naurc")]
        assert all(np.isfinite(row["value"]) for row in others)


def test_two_classes():
    predictions = {"val": split_of(0, 100, n_classes=2), "test": split_of(1, 100, n_classes=2)}
    found = evaluate(predictions, SETTINGS, IDENTITY)
    aurc = {row["score"]: row["value"] for row in found if row["split"] == "test" and row["metric"] == "aurc"}
    assert aurc["pnorm"] == aurc["msp"] == aurc["logit-margin"]  # the probability, its margin and its odds rank alike
    assert aurc["gini"] == pytest.approx(aurc["msp"], rel=0.01)


# ---- predictions tables ----


def test_predictions_by_split(tmp_path):
    splits = ["val"] * 3 + ["test", "ood-x", "test", "test"]
    logits = np.arange(14, dtype=np.float32).reshape(7, 2)
    columns = {
        "split": splits,
        "image_id": np.arange(7, dtype=np.int32),
        "label": pa.array([0, 1, 0, 1, -1, 0, 1], pa.int16()),
        "logits": pa.FixedSizeListArray.from_arrays(logits.ravel(), 2),
        "predicted": pa.array([1] * 7, pa.int16()),
    }
    schema = predictions_schema(2, ("predicted",))
    write_table(tmp_path / "p.parquet", pa.table(columns).cast(schema), schema)
    whole = read_table(tmp_path / "p.parquet")
    chunked = pa.concat_tables([whole.slice(0, 2), whole.slice(2, 3), whole.slice(5)])
    for table in (whole, chunked):
        found = evaluation.predictions_by_split(table)
        assert list(found) == ["val", "test", "ood-x"]
        assert found["test"].logits.tolist() == [[6, 7], [10, 11], [12, 13]]
        assert found["test"].labels.tolist() == [1, 0, 1]
        assert found["test"].correct.tolist() == [True, False, True]
        assert found["val"].logits.tolist() == logits[:3].tolist()
        assert found["ood-x"].labels.tolist() == [-1]
    without = evaluation.predictions_by_split(whole.drop(["predicted"]))
    assert without["test"].predicted is None


# ---- comparisons ----


def test_compare_is_the_difference_of_the_values(rows):
    other = predictions_of(10)
    other["test"] = Predictions(other["test"].logits, predictions_of()["test"].labels)
    for metric, score in (("accuracy", "none"), ("aurc", "msp"), ("ece", "msp-ts"), ("nll", "msp"), ("auroc", "pnorm")):
        found = compare([(predictions_of(), other)], metric, score, "test", 100, SETTINGS)
        values = [
            find(each, split="test", metric=metric, score=score)["value"]
            for each in (rows, evaluate(other, SETTINGS, IDENTITY))
        ]
        assert found["difference"] == pytest.approx(values[0] - values[1])
        assert found["low"] <= found["difference"] <= found["high"]
        assert (found["n_seeds"], found["reason"]) == (1, None)


def test_an_arm_does_not_differ_from_itself():
    for metric, split in (("aurc", "test"), ("ood-auroc", "ood-digits")):
        found = compare([(predictions_of(s), predictions_of(s)) for s in (0, 0)], metric, "msp", split, 50, SETTINGS)
        assert [found[key] for key in ("difference", "low", "high", "p")] == [0, 0, 0, 1]


def test_a_better_arm_is_found_better():
    predictions = predictions_of()
    sample = predictions["test"]
    worse = np.random.default_rng(0).normal(0, 2, (200, 4)) + sample.logits
    noisy = predictions | {"test": Predictions(worse.astype(np.float32), sample.labels)}
    found = compare([(predictions, noisy)] * 3, "aurc", "msp", "test", 500, SETTINGS)
    assert found["high"] < 0
    assert found["p"] == pytest.approx(2 / 501)
    assert found["differences"] == [found["difference"]] * 3
    ood = compare([(predictions, noisy)] * 3, "ood-auroc", "msp", "ood-digits", 500, SETTINGS)
    auroc = [
        find(evaluate(each, SETTINGS, IDENTITY), score="msp", metric="ood-auroc")["value"]
        for each in (predictions, noisy)
    ]
    assert ood["difference"] == pytest.approx(auroc[0] - auroc[1])
    assert ood["low"] < ood["difference"] < ood["high"]


def test_a_comparison_without_numbers_has_a_reason():
    perfect = predictions_of()
    perfect["test"] = Predictions(perfect["test"].logits, perfect["test"].labels, predicted=perfect["test"].labels)
    found = compare([(predictions_of(), perfect)], "auroc", "msp", "test", 50, SETTINGS)
    assert found["reason"] == "no wrong samples"
    assert [found[key] for key in ("difference", "low", "high", "p", "n_seeds")] == [None, None, None, None, 1]
    missing = {"val": predictions_of()["val"]}
    assert compare([(missing, missing)], "aurc", "msp", "test", 50, SETTINGS)["reason"] == "no samples in test"


@pytest.mark.parametrize(
    ("metric", "score", "split", "message"),
    [
        ("ece", "energy", "test", "ece does not take the score 'energy'; scores: msp, msp-ts"),
        ("accuracy", "msp", "test", "accuracy does not take the score 'msp'; scores: none"),
        ("aurc", "none", "test", "aurc does not take the score 'none'; scores: msp, msp-ts, margin"),
        ("aurc", "msp", "ood-digits", "aurc is not measured on the split 'ood-digits'"),
        ("ood-auroc", "msp", "test", "ood-auroc is not measured on the split 'test'"),
        ("ece-adaptive", "msp", "test", "ece-adaptive has no form for resamples"),
        ("aurk", "msp", "test", "'aurk' is not a metric"),
    ],
)
def test_a_comparison_that_makes_no_sense_says_so(metric, score, split, message):
    with pytest.raises(UserError, match=message):
        compare([(predictions_of(), predictions_of())], metric, score, split, 50, SETTINGS)


def test_arms_on_other_rows_are_not_compared():
    fewer = predictions_of() | {"test": split_of(1, 199)}
    with pytest.raises(UserError, match="test: the arms are not predictions of the same rows"):
        compare([(predictions_of(), fewer)], "aurc", "msp", "test", 50, SETTINGS)


def test_an_arm_without_its_number_is_undefined():
    with pytest.raises(Undefined, match="no samples in test"):
        evaluation.arm({"val": predictions_of()["val"]}, "aurc", "msp", "test", SETTINGS)
