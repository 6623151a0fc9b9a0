"""Predictions to rows of the metrics table."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from small_predictions import IDENTITY, SETTINGS, find, predictions_of, split_of

from selfdoubt.evaluation import calibration, rankings, resampling, softmax
from selfdoubt.evaluation.log_odds import log_odds
from selfdoubt.evaluation.metrics_table import evaluate
from selfdoubt.evaluation.predictions import Predictions
from selfdoubt.evaluation.scores import energy, entropy, gini
from selfdoubt.evaluation.softmax import Softmax
from selfdoubt.evaluation.splits import mean_splits
from selfdoubt.runtime.schemas.metrics import METRICS_SCHEMA
from selfdoubt.runtime.table_files import read_table, write_rows

RANKING = ["auroc", "aurc", "e-aurc", "naurc", "augrc", "fpr95"]
RANKING += ["coverage-at-sac-90", "coverage-at-sac-99.5", "risk-at-coverage-80"]
CALIBRATION = ["ece", "ece-adaptive", "ece-classwise", "mce", "nll", "brier"]
FAILURE = ["failure-aurc", "failure-augrc", "failure-auroc", "failure-fpr95"]
OOD = ["ood-auroc", "ood-aupr-in", "ood-aupr-out", "ood-fpr95"]
OOD += [f"ood-auroc-severity-{percent}" for percent in range(0, 101, 10)]


@pytest.fixture(scope="module")
def rows():
    return evaluate(predictions_of(), SETTINGS, IDENTITY)


def test_how_many_resamples_are_looked_at_at_once_changes_nothing(monkeypatch):
    def intervals() -> list[float]:
        found = evaluate(predictions_of(), SETTINGS, IDENTITY)
        return [row[end] for row in found for end in ("low", "high") if row[end] is not None]

    together = intervals()
    for counts in (1, 700):
        monkeypatch.setattr(resampling, "COUNTS_AT_ONCE", counts)
        assert intervals() == pytest.approx(together, rel=1e-12, abs=1e-15)  # but for the order of sums
    assert len(together) > 100


def test_every_number_has_its_row(rows):
    labelled = [("none", "accuracy")]
    labelled += [(score, metric) for score in SETTINGS.scores for metric in RANKING]
    labelled += [(score, metric) for score in ("msp", "msp-ts") for metric in CALIBRATION]
    means = ("blur-mean", "noise-mean", "corrupted-mean")
    expected = {(split, *pair) for split in ("val", "test", "blur-1", "blur-5", "noise-1", *means) for pair in labelled}
    expected |= {("ood-digits", score, metric) for score in SETTINGS.scores for metric in [*OOD, *FAILURE]}
    expected |= {("ood-digits@50", score, metric) for score in SETTINGS.scores for metric in FAILURE}
    assert {(row["split"], row["score"], row["metric"]) for row in rows} == expected
    assert len(rows) == len(expected)
    assert all(row["value"] is not None and row["reason"] is None for row in rows)
    assert {row["n"] for row in rows if row["split"] == "ood-digits"} == {200 + 60}


def test_rows_fit_the_schema_of_the_metrics_table(rows, tmp_path):
    write_rows(tmp_path / "metrics.parquet", rows, METRICS_SCHEMA)
    assert read_table(tmp_path / "metrics.parquet", METRICS_SCHEMA).to_pylist() == rows


def test_values_are_those_of_the_metrics(rows):
    test, val = predictions_of()["test"], predictions_of()["val"]
    logits, correct = test.logits.astype(float), test.logits.argmax(-1) == test.labels
    temperature = softmax.fit_temperature(val.logits, val.labels)
    assert find(rows, split="test", metric="accuracy")["value"] == correct.mean()
    for score, t in (("msp", 1.0), ("msp-ts", temperature)):
        p = np.exp(logits / t) / np.exp(logits / t).sum(-1, keepdims=True)
        of_label = p[np.arange(200), test.labels]
        expected = {
            "aurc": rankings.aurc(log_odds(logits, t), correct),
            "coverage-at-sac-99.5": rankings.coverage_at_accuracy(log_odds(logits, t), correct, percent=99.5),
            "ece": calibration.ece(p.max(-1), correct, 15),
            "ece-adaptive": calibration.ece_adaptive(p.max(-1), correct, 15),
            "ece-classwise": calibration.ece_classwise(p, test.labels, 15),
            "mce": calibration.mce(p.max(-1), correct, 15),
            "nll": -np.log(of_label).mean(),
            "brier": ((p**2).sum(-1) - 2 * of_label + 1).mean(),
        }
        found = {name: find(rows, split="test", score=score, metric=name)["value"] for name in expected}
        assert found == pytest.approx(expected)
    ood = predictions_of()["ood-digits"]
    confidence = np.concatenate([energy.score(Softmax(test.logits)), energy.score(Softmax(ood.logits))])
    auroc = rankings.auroc(confidence, np.arange(260) < 200)
    assert find(rows, score="energy", metric="ood-auroc")["value"] == auroc


def test_intervals_only_where_asked_for_and_there_is_a_form_for_resamples(rows):
    for row in rows:
        known = row["split"] == "test" and row["metric"] != "ece-classwise"
        assert (row["low"] is not None) == (row["high"] is not None) == known, row
    for row in (find(rows, split="test", score="msp", metric=name) for name in ("auroc", "aurc", "nll", "brier")):
        assert row["low"] < row["value"] < row["high"]


def test_the_interval_is_that_of_samples_drawn_out(rows):
    test = predictions_of()["test"]
    weights = drawn({"test": 200}, 200)
    samples = [np.repeat(np.arange(200), counts) for counts in weights]
    confidence = gini.score(Softmax(test.logits))
    values = [rankings.aurc(confidence[sample], test.correct[sample]) for sample in samples]
    row = find(rows, split="test", score="gini", metric="aurc")
    assert (row["low"], row["high"]) == pytest.approx(tuple(np.quantile(values, [0.025, 0.975])))


def drawn(sizes, n_resamples):
    return np.concatenate([draw() for draw in resampling.drawn_weights(sizes, n_resamples)])


def test_every_model_meets_the_same_resamples():
    first = drawn({"test": 300}, 20)
    assert (first == drawn({"test": 300}, 20)).all()
    both = drawn({"test": 300, "ood-x": 50}, 20)
    assert (both[:, :300] == first).all()
    assert (both[:, 300:].sum(1) == 50).all()  # each split keeps its number of samples
    assert (drawn({"val": 300}, 20) != first).any()


# ---- means over corruptions ----


def test_means_over_corruptions(rows):
    def value(split, metric):
        return find(rows, split=split, metric=metric, score="none" if metric == "accuracy" else "msp")["value"]

    for metric in ("accuracy", "aurc", "ece", "nll"):
        each = [value(split, metric) for split in ("blur-1", "blur-5", "noise-1")]
        assert value("blur-mean", metric) == pytest.approx((each[0] + each[1]) / 2)
        assert value("noise-mean", metric) == each[2]
        assert value("corrupted-mean", metric) == pytest.approx(sum(each) / 3)
    assert find(rows, split="corrupted-mean", metric="accuracy")["n"] == 3 * 80


def test_only_splits_with_a_severity_are_averaged():
    names = ["test", "val", "ood-mnist-2", "shifted-cifar10-1", "gaussian-blur-1", "gaussian-blur-3", "contrast-1"]
    assert mean_splits(names) == {
        "gaussian-blur-mean": ["gaussian-blur-1", "gaussian-blur-3"],
        "contrast-mean": ["contrast-1"],
        "corrupted-mean": ["gaussian-blur-1", "gaussian-blur-3", "contrast-1"],
    }
    assert mean_splits(["test", "ood-mnist-2", "shifted-cifar10-1"]) == {}


def test_a_mean_of_a_number_that_does_not_exist_has_its_reason():
    predictions = predictions_of()
    logits = predictions["blur-5"].logits
    predictions["blur-5"] = Predictions(logits, logits.argmax(-1))
    found = evaluate(predictions, SETTINGS, IDENTITY)
    row = find(found, split="blur-mean", score="msp", metric="auroc")
    assert (row["value"], row["reason"]) == (None, "no incorrect samples")
    assert find(found, split="blur-mean", score="msp", metric="aurc")["value"] > 0


def test_the_interval_of_a_mean_resamples_all_its_splits_alike():
    settings = SimpleNamespace(**vars(SETTINGS) | {"resampled_splits": ["blur-mean", "blur-1"]})
    found, predictions = evaluate(predictions_of(), settings, IDENTITY), predictions_of()
    weights = drawn({"blur-1": 80}, 200)
    resampled = np.mean([weights @ predictions[split].correct / 80 for split in ("blur-1", "blur-5")], axis=0)
    row = find(found, split="blur-mean", metric="accuracy")
    assert (row["low"], row["high"]) == pytest.approx(tuple(np.quantile(resampled, [0.025, 0.975])))
    assert find(found, split="blur-1", metric="accuracy")["low"] is not None
    assert find(found, split="blur-5", metric="accuracy")["low"] is None  # not asked for


# ---- what is asked for ----


def test_threads_change_no_digit(monkeypatch, rows):
    monkeypatch.setattr(softmax, "BLOCK_NUMBERS", 100)
    several = []
    for threads in ("1", "3"):
        monkeypatch.setenv("OMP_NUM_THREADS", threads)
        several.append(evaluate(predictions_of(), SETTINGS, IDENTITY))
    assert several[0] == several[1]
    values = [[row["value"] for row in each] for each in (several[0], rows)]
    assert values[0] == pytest.approx(values[1], rel=1e-9, abs=1e-13)  # nor do blocks, but for rounding


# ---- signals and out-of-distribution classes ----


def test_dropout_is_read_from_its_column():
    predictions, settings = predictions_of(), SimpleNamespace(**vars(SETTINGS) | {"scores": ["msp", "mc-dropout"]})
    base = predictions["test"]
    signal = entropy.score(Softmax(base.logits)).astype(np.float32)
    predictions["test"] = Predictions(base.logits, base.labels, signals={"mc_dropout": signal})
    found = evaluate(predictions, settings, IDENTITY)
    expected = rankings.aurc(signal, base.correct)
    assert find(found, split="test", score="mc-dropout", metric="aurc")["value"] == pytest.approx(expected)
    missing = find(found, split="val", score="mc-dropout", metric="aurc")
    assert missing["value"] is None
    assert "'mc_dropout'" in missing["reason"] and "no dropout" in missing["reason"]


def test_disagreement_is_combined_with_the_logits():
    predictions, settings = predictions_of(), SimpleNamespace(**vars(SETTINGS) | {"scores": ["msp", "disagreement"]})
    for split, base in predictions.items():
        wrong = (base.logits.argmax(1) != base.labels).astype(np.float32)
        predictions[split] = Predictions(base.logits, base.labels, None, base.ood_classes, {"disagreement": wrong})
    found = evaluate(predictions, settings, IDENTITY)
    assert find(found, split="test", score="disagreement", metric="auroc")["value"] == 1
    assert find(found, split="test", score="msp", metric="auroc")["value"] < 1
    del predictions["val"].signals["disagreement"]
    missing = find(evaluate(predictions, settings, IDENTITY), split="test", score="disagreement", metric="auroc")
    assert missing["reason"].startswith("no column 'disagreement'")


def test_a_signal_that_is_not_finite_names_its_split_and_row():
    predictions, settings = predictions_of(), SimpleNamespace(**vars(SETTINGS) | {"scores": ["mc-dropout"]})
    for split, row in (("test", None), ("ood-digits", 3)):
        base, signal = predictions[split], np.linspace(-1, 0, len(predictions[split].labels))
        if row is not None:
            signal[row] = np.nan
        predictions[split] = Predictions(base.logits, base.labels, None, base.ood_classes, {"mc_dropout": signal})
    found = [row for row in evaluate(predictions, settings, IDENTITY) if row["split"] == "ood-digits"]
    assert {row["reason"] for row in found} == {"ood-digits: row 3 has a mc_dropout that is not finite"}


LOST = {  # of logarithms of probabilities
    "energy": "the logits are logarithms of probabilities, whose energy is 0",
    "max-logit": "the logits are logarithms of probabilities, whose largest is msp itself",
}


def reasons_of(predictions: dict[str, Predictions], score: str) -> set:
    settings = SimpleNamespace(**vars(SETTINGS) | {"scores": ["msp", "energy", "max-logit"]})
    found = [row for row in evaluate(predictions, settings, IDENTITY) if row["score"] == score]
    assert all((row["value"] is None) == bool(row["reason"]) for row in found)
    return {row["reason"] for row in found}


@pytest.mark.parametrize("score", LOST)
def test_logarithms_of_probabilities_have_no_energy_and_no_max_logit(score):
    """Where the table has it in its metadata, or every row sums to 1; a single row is not enough."""
    predictions = predictions_of()
    named = {name: replace(each, of_probabilities=True) for name, each in predictions.items()}
    of_rows = {
        name: replace(each, logits=np.log(Softmax(each.logits).probabilities()).astype(np.float32))
        for name, each in predictions.items()
    }
    assert reasons_of(named, score) == reasons_of(of_rows, score) == {LOST[score]}
    assert reasons_of(of_rows, "msp") == {None}
    for each in predictions.values():
        each.logits[0] -= energy.score(Softmax(each.logits[:1])).astype(np.float32)
    assert LOST[score] not in reasons_of(predictions, score)


def test_severity_needs_classes_and_more_of_them_than_the_model_knows():
    predictions = predictions_of()
    base = predictions["ood-digits"]
    few = Predictions(base.logits, base.labels, ood_classes=base.ood_classes % 4)
    for sample, reason in (
        (Predictions(base.logits, base.labels), "ood-digits: the classes of its images are not known"),
        (few, "4 out-of-distribution classes; more than the 4 known ones are needed"),
    ):
        found = evaluate(predictions | {"ood-digits": sample}, SETTINGS, IDENTITY)
        row = find(found, score="energy", metric="ood-auroc-severity-50")
        assert (row["value"], row["reason"]) == (None, reason)
        assert find(found, score="energy", metric="ood-auroc")["value"] > 0


def test_row_order_changes_nothing(rows):
    shuffled = {}
    for name, sample in predictions_of().items():
        order = np.random.default_rng(0).permutation(len(sample.labels))
        classes = None if sample.ood_classes is None else sample.ood_classes[order]
        shuffled[name] = Predictions(sample.logits[order], sample.labels[order], ood_classes=classes)
    again = evaluate(shuffled, SETTINGS, IDENTITY)

    def values(of: list[dict]) -> list[float]:  # severities and mixes go by the place of an image, where it has no id
        return [row["value"] for row in of if "severity" not in row["metric"] and "@" not in row["split"]]

    assert values(again) == pytest.approx(values(rows), rel=1e-6, abs=1e-9)


def test_the_reported_label_decides_what_is_correct():
    predictions = predictions_of()
    sample = predictions["test"]
    predictions["test"] = Predictions(sample.logits, sample.labels, predicted=sample.labels.astype(np.int16))
    found = evaluate(predictions, SETTINGS, IDENTITY)
    assert find(found, split="test", metric="accuracy")["value"] == 1
    assert find(found, split="test", score="msp", metric="aurc")["value"] == 0
    assert find(found, split="test", score="msp", metric="auroc")["reason"] == "no incorrect samples"


def test_confidence_and_calibration_are_those_of_the_reported_label():
    # One image keeps its clean label, 1, of which the enhanced image has p = .3; the others report their top class.
    p = np.array([[0.6, 0.3, 0.1], [0.8, 0.1, 0.1], [0.5, 0.3, 0.2], [0.6, 0.2, 0.2]])
    predicted, labels = np.array([1, 0, 0, 0], dtype=np.int16), np.array([1, 0, 0, 1])
    sample = Predictions(np.log(p), labels, predicted=predicted)
    found = evaluate({"val": sample, "test": sample}, SETTINGS, IDENTITY)

    def value(metric: str) -> float:
        return find(found, split="test", score="msp", metric=metric)["value"]

    # Confidences .3, .8, .5, .6, of which the last is incorrect: it comes second. By max p it would tie with the first.
    assert value("aurc") == pytest.approx((0 / 1 + 1 / 2 + 1 / 3 + 1 / 4) / 4)
    # Each confidence has a bin of its own: |1 - .3|, |1 - .8|, |1 - .5| and |0 - .6|, over four
    assert value("ece") == pytest.approx((0.7 + 0.2 + 0.5 + 0.6) / 4)
    assert value("nll") == pytest.approx(-np.log([0.3, 0.8, 0.5, 0.2]).mean())  # of the whole distribution, as before
    none = replace(sample, predicted=np.array([3, 0, 0, 0], dtype=np.int16))
    row = find(evaluate({"val": sample, "test": none}, SETTINGS, IDENTITY), split="test", score="msp", metric="aurc")
    assert row["reason"].startswith("test: row 0 ") and "class 3" in row["reason"]


# ---- numbers that do not exist ----


@pytest.mark.parametrize("fault", [np.nan, np.inf, -np.inf])
def test_infinite_logits_name_the_first_offending_row(fault, rows):
    predictions = predictions_of()
    logits = predictions["test"].logits.copy()
    logits[[17, 30], 2] = fault
    found = evaluate(predictions | {"test": Predictions(logits, predictions["test"].labels)}, SETTINGS, IDENTITY)
    assert len(found) == len(rows)  # none is dropped
    for before, row in zip(rows, found, strict=True):
        if row["split"] in ("test", "ood-digits", "ood-digits@50"):
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
        ("all", Predictions(logits, right), 1, "no incorrect samples"),
        ("none", Predictions(logits, (right + 1) % 4), 0, "no correct samples"),
        ("one", Predictions(logits[:1], right[:1]), 1, "no incorrect samples"),
    ):
        found = evaluate({"val": base["val"], "test": sample}, SETTINGS, IDENTITY)
        assert find(found, split="test", metric="accuracy")["value"] == accuracy, name
        for metric in ("auroc", "naurc", "fpr95"):
            row = find(found, split="test", score="energy", metric=metric)
            assert (row["value"], row["low"], row["reason"]) == (None, None, reason), name
        others = [row for row in found if row["split"] == "test" and row["metric"] not in ("auroc", "naurc", "fpr95")]
        assert all(np.isfinite(row["value"]) for row in others)


def test_two_classes():
    predictions = {"val": split_of(0, 100, n_classes=2), "test": split_of(1, 100, n_classes=2)}
    found = evaluate(predictions, SETTINGS, IDENTITY)
    aurc = {row["score"]: row["value"] for row in found if row["split"] == "test" and row["metric"] == "aurc"}
    assert aurc["pnorm"] == aurc["msp"] == aurc["logit-margin"]  # the probability, its margin and its odds rank alike
    assert aurc["gini"] == pytest.approx(aurc["msp"], rel=0.01)


def test_equal_logits_rank_nothing():
    equal = Predictions(np.zeros((40, 3), dtype=np.float32), np.arange(40) % 3)
    found = evaluate({"val": equal, "test": equal}, SETTINGS, IDENTITY)
    values = {row["metric"]: row["value"] for row in found if row["split"] == "test" and row["score"] == "msp"}
    assert (values["auroc"], values["naurc"]) == (0.5, pytest.approx(1))
    assert values["ece"] == pytest.approx(abs(14 / 40 - 1 / 3))


def test_one_class_has_no_numbers_but_a_reason():
    single = Predictions(np.ones((5, 1), dtype=np.float32), np.zeros(5, dtype=np.int64))
    found = [row for row in evaluate({"val": single, "test": single}, SETTINGS, IDENTITY) if row["split"] == "test"]
    assert all(row["value"] is None for row in found)
    assert {row["reason"] for row in found} <= {"test: fewer than two classes", "val: fewer than two classes"}
