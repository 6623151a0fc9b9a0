"""Thresholds with a bound on the risk, and conformal sets: worked by hand, by the definition, and of odd inputs."""

from dataclasses import replace
from math import ceil, log2
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import binom
from small_predictions import find, predictions_of, split_of
from small_training import run_script

from selfdoubt.evaluation import conformal, guarantees, selection
from selfdoubt.evaluation.prediction_tables import write_predictions
from selfdoubt.evaluation.predictions import Predictions
from selfdoubt.evaluation.softmax import NO_VAL
from selfdoubt.evaluation.undefined import Undefined
from selfdoubt.runtime.schemas.guarantees import GUARANTEES_SCHEMA
from selfdoubt.runtime.table_files import read_table, write_rows

IDENTITY = {"dataset": "d", "name": "ce", "replicate": 1, "variant": "clean"}
SETTINGS = SimpleNamespace(
    scores=["msp"],
    target_risks=[0.3, 0.01],
    delta=0.1,
    n_resplits=20,
    alphas=[0.1],
    raps_penalty=0.1,
    raps_free_classes=1,
)


def evaluated(predictions, **changes):
    return guarantees.evaluate(predictions, SimpleNamespace(**vars(SETTINGS) | changes), IDENTITY)


# ---- selection ----


def test_selection_by_hand():
    # m = 8, so three steps at delta / 3 = 0.1; at a risk of 0.5: 4 accepted, no error: 1/16; 6: 1/64; 7 of which one is
    # an error: (1 + 7) / 128 = 1/16. All three are below 0.1, so the threshold is the second lowest confidence of val.
    val = np.arange(8.0, 0, -1), np.arange(8) < 6
    test = np.array([9, 2.5, 2, 1.5, 0]), np.array([True, False, True, True, True])
    pooled = selection.pool(val, test)
    found = selection.select_on_val(pooled, 0.5, 0.3)
    assert pooled.confidence[found.place[0]] == 2
    assert (found.accepted[0], found.errors[0]) == (3, 1)  # 9, 2.5 and 2, of which 2.5 is incorrect
    assert binom.cdf(1, 7, found.bound[0]) == pytest.approx(0.1)


def by_definition(val, test, risk, delta):
    """Accepted images and errors of test, and the bound, by loops over the images."""
    rising, m = np.sort(val[0]), len(val[0])
    steps, low, high, best = max(1, ceil(log2(m))), 1, m, None
    for _ in range(steps):
        rank = ceil((low + high) / 2)
        accepted = val[0] >= rising[rank - 1]
        if binom.cdf(np.sum(accepted & ~val[1]), np.sum(accepted), risk) <= delta / steps:
            high, best = rank, rising[rank - 1]
        else:
            low = rank
    if best is None:
        return 0, 0
    return np.sum(test[0] >= best), np.sum((test[0] >= best) & ~test[1])


@pytest.mark.parametrize("n_val", [1, 2, 37, 200])
def test_every_split_is_selected_by_definition(n_val):
    draws = np.random.default_rng(n_val)
    confidence = draws.integers(0, 30, n_val + 150).astype(float)  # with ties
    correct = draws.random(len(confidence)) < 0.6 + confidence / 75
    masks = np.stack([draws.permutation(len(confidence)) < n_val for _ in range(10)])
    pooled = selection.pool((confidence[:n_val], correct[:n_val]), (confidence[n_val:], correct[n_val:]))
    found = selection.select(pooled, masks, 0.2, 0.2)
    for i, mask in enumerate(masks):
        parts = [(confidence[rows], correct[rows]) for rows in (mask, ~mask)]
        assert (found.accepted[i], found.errors[i]) == by_definition(*parts, 0.2, 0.2)
    assert not np.any(found.bound > 0.2)


def test_bounds_are_broken_by_chance_at_most_as_often_as_promised():
    draws = np.random.default_rng(0)
    confidence = draws.random(4000)
    correct = draws.random(4000) < 0.7 + 0.3 * confidence
    pooled = selection.pool((confidence[:400], correct[:400]), (confidence[400:], correct[400:]))
    assert selection.broken_fraction(pooled, 0.1, 0.2, 200) <= 0.2
    assert selection.broken_fraction(pooled, 0.1, 0.2, 200) == selection.broken_fraction(pooled, 0.1, 0.2, 200)


def test_a_bound_is_broken_where_the_realised_risk_is_above_it():
    """By hand: 2 errors of 5 are .4, 1 of 5 is .2, and 3 of 10 are the bound itself; without a bound nothing is."""
    bounds, accepted, errors = np.array([0.3, 0.3, 0.3, np.nan]), np.array([5, 5, 10, 0]), np.array([2, 1, 3, 0])
    found = selection.Selections(np.zeros(4, int), bounds, accepted, errors)
    assert found.broken.tolist() == [True, False, False, False]


def test_broken_bounds_are_counted_over_splits():
    """By chance some re-splits leave val fewer of the three errors than test has."""
    draws = np.random.default_rng(0)
    val, test = (np.ones(30), np.ones(30, bool)), (np.ones(30), np.arange(30) % 10 > 0)
    pooled = selection.pool(val, test)
    masks = np.stack([draws.permutation(60) < 30 for _ in range(200)])
    one_by_one = [bool(selection.select(pooled, mask[None], 0.12, 0.9).broken[0]) for mask in masks]
    assert selection.select(pooled, masks, 0.12, 0.9).broken.tolist() == one_by_one
    assert 0 < selection.broken_fraction(pooled, 0.12, 0.9, 200) <= 0.9


def test_without_a_bound_nothing_is_accepted_and_the_reason_is_given():
    few = predictions_of() | {"val": split_of(0, 20)}
    own = {"method": "sgr", "level": 0.01}
    rows = evaluated(few)
    coverage = find(rows, quantity="coverage", **own)
    # five steps: log(0.1 / 5) / log(0.99) = 389.2
    assert coverage["value"] == 0
    assert "20 images" in coverage["reason"] and "390" in coverage["reason"]
    for quantity in ("threshold", "bound", "risk"):
        row = find(rows, quantity=quantity, **own)
        assert row["value"] is None and row["reason"] == coverage["reason"]
    assert find(rows, quantity="broken-bounds", **own)["value"] == 0


@pytest.mark.parametrize("kind", ["no errors", "all errors", "ties", "one image"])
def test_odd_inputs_of_selection(kind):
    val, test = split_of(0, 150), split_of(1, 200)
    if kind in ("no errors", "all errors"):
        val, test = (replace(s, labels=(s.logits.argmax(1) + (kind == "all errors")) % 4) for s in (val, test))
    elif kind == "ties":
        val, test = (replace(s, logits=np.zeros_like(s.logits)) for s in (val, test))
    else:
        val, test = val.rows(slice(0, 1)), test.rows(slice(0, 1))
    rows = {row["quantity"]: row for row in evaluated({"val": val, "test": test}) if row["level"] == 0.3}
    assert rows["broken-bounds"]["value"] == 0
    if kind == "no errors":
        assert rows["coverage"]["value"] > 0.95 and rows["risk"]["value"] == 0 and 0 < rows["bound"]["value"] < 0.3
        assert 0 < rows["threshold"]["value"] < 1  # a probability, not log-odds
    else:
        assert rows["coverage"]["value"] == 0 and rows["coverage"]["reason"] and rows["risk"]["value"] is None


# ---- conformal sets ----


def test_scores_by_hand():
    p, u = np.array([[0.3, 0.5, 0.2]]), np.array([0.5])
    order, scores = conformal.scores_by_rank(p, u, 0.1, 1)
    assert order.tolist() == [[1, 0, 2]]
    assert scores["lac"].tolist() == [[-0.5, -0.3, -0.2]]
    assert scores["aps"] == pytest.approx(np.array([[0.25, 0.65, 0.9]]))
    assert scores["raps"] == pytest.approx(np.array([[0.25, 0.75, 1.1]]))


@pytest.mark.parametrize(("n", "alpha", "k"), [(9, 0.1, 9), (8, 0.1, None), (3, 0.5, 2), (1, 0.5, 1), (99, 0.3, 70)])
def test_quantile(n, alpha, k):
    scores = np.random.default_rng(0).permutation(np.arange(1.0, n + 1))
    assert conformal.quantile(scores, alpha) == (np.inf if k is None else k)


def test_coverage_by_size():
    sizes, covered = np.array([0, 1, 1, 2, 3, 3]), np.array([False, True, True, True, False, True])
    found = conformal.by_size(sizes, covered, 4)
    assert found == {
        "coverage-size-0-1": (pytest.approx(2 / 3), 3),
        "coverage-size-2-3": (pytest.approx(2 / 3), 3),
        "coverage-size-4-10": (None, 0),
    }


@pytest.mark.parametrize("method", conformal.METHODS)
def test_coverage_is_what_was_promised(method):
    coverages = []
    for i in range(40):
        rows = evaluated({"val": split_of(2 * i, 60), "test": split_of(2 * i + 1, 100)}, target_risks=[])
        coverages.append(find(rows, method=method, quantity="coverage")["value"])
    assert np.mean(coverages) == pytest.approx(0.9 + 0.5 / 61, abs=0.02)  # between 0.9 and 0.9 + 1 / 61


def test_rows_of_sets_fit_the_schema_and_one_another(tmp_path):
    rows = evaluated(predictions_of())
    write_rows(tmp_path / "guarantees.parquet", rows, GUARANTEES_SCHEMA)
    assert read_table(tmp_path / "guarantees.parquet", GUARANTEES_SCHEMA).to_pylist() == rows
    assert rows == evaluated(predictions_of())
    for method in conformal.METHODS:
        own = {row["quantity"]: row for row in rows if row["method"] == method}
        strata = [own[name] for name in own if name.startswith("coverage-size-")]
        assert sum(row["n"] for row in strata) == 200
        least = min(row["value"] for row in strata if row["value"] is not None)
        assert own["size-stratified-coverage"]["value"] == least <= own["coverage"]["value"]
        assert 0 < own["size"]["value"] < 4


def test_too_few_images_for_the_level_give_all_classes():
    rows = evaluated(predictions_of() | {"val": split_of(0, 5)})
    for method in conformal.METHODS:
        own = {row["quantity"]: row for row in rows if row["method"] == method}
        assert (own["coverage"]["value"], own["size"]["value"]) == (1, 4)
        assert own["quantile"]["value"] is None and "too few" in own["quantile"]["reason"]


# ---- numbers that do not exist ----


def test_reasons():
    whole = predictions_of()
    faulty = whole["test"].logits.copy()
    faulty[3, 1] = np.nan
    given = {
        split: Predictions(None, s.labels, s.logits.argmax(1), signals={"msp": s.logits.max(1)})
        for split, s in whole.items()
    }
    cases = {
        NO_VAL: {"test": whole["test"]},
        "no samples in test": {"val": whole["val"]},
        "test: row 3 has a logit that is not finite": whole | {"test": Predictions(faulty, whole["test"].labels)},
    }
    for reason, predictions in cases.items():
        assert {row["reason"] for row in evaluated(predictions)} == {reason}
    rows = evaluated(given)
    assert find(rows, method="sgr", level=0.3, quantity="coverage")["value"] > 0
    assert find(rows, method="sgr", level=0.3, quantity="threshold")["value"] in given["val"].signals["msp"]
    assert {row["reason"] for row in rows if row["method"] != "sgr"} == {"needs logits, which the predictions have not"}
    with pytest.raises(Undefined, match="no samples"):
        selection.pool((np.empty(0), np.empty(0, bool)), (np.ones(1), np.ones(1, bool)))


def test_the_script_takes_the_files_of_arms_in_their_order(tmp_path):
    arms, paths = [], []
    for i in (1, 2):
        splits = {split: sample for split, sample in predictions_of(i).items() if split in ("val", "test")}
        paths.append(tmp_path / f"{i}.parquet")
        logits = {split: sample.logits for split, sample in splits.items()}
        write_predictions(paths[-1], {split: _with_ids(sample) for split, sample in splits.items()}, logits)
        arms.append(IDENTITY | {"replicate": i})
    (tmp_path / "list").write_text("\n".join(map(str, paths)))
    settings = {"arms": arms, "guarantees": vars(SETTINGS)}
    files = {"predictions": f"@{tmp_path / 'list'}", "output": tmp_path / "guarantees.parquet"}
    run_script("compute_guarantees", None, settings, **files)
    found = read_table(files["output"], GUARANTEES_SCHEMA).to_pylist()
    expected = [guarantees.evaluate(predictions_of(arm["replicate"]), SETTINGS, arm) for arm in arms]
    assert found == [row for rows in expected for row in rows]


def _with_ids(sample):
    return replace(sample, image_ids=np.arange(len(sample.labels), dtype=np.int32))
