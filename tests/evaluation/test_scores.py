"""Confidence scores against their formulas, and at the ends of the number range."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp, softmax
from small_scores import as_defined, confidence, fitted, logits_of, val_of

from selfdoubt.evaluation import scoring
from selfdoubt.evaluation.log_odds import log_odds
from selfdoubt.evaluation.rankings import round_to_tie
from selfdoubt.evaluation.scores.pnorm import pnorm
from selfdoubt.evaluation.softmax import Softmax, each_block
from selfdoubt.runtime.methods import names_in
from selfdoubt.settings.analysis import SCORES

repeatable = settings(deadline=None, derandomize=True, database=None, max_examples=50)
replicates = st.integers(0, 1000)
OF_LOGITS = [name for name in names_in(scoring.FOLDER) if not scoring.is_column(name)]


def test_scores_of_one_row_by_hand():
    logits = np.log([[0.5, 0.3, 0.2]]) + 7
    found = {name: confidence(name, logits)[0] for name in ("msp", "logit-margin", "entropy", "energy", "max-logit")}
    assert found["msp"] == pytest.approx(np.log(0.5 / 0.5))  # the log-odds of 0.5
    assert as_defined("margin", logits) == pytest.approx(0.5 - 0.3)
    assert found["logit-margin"] == pytest.approx(np.log(0.5 / 0.3))
    assert found["entropy"] == pytest.approx(sum(p * np.log(p) for p in (0.5, 0.3, 0.2)))
    assert as_defined("gini", logits) == pytest.approx(0.25 + 0.09 + 0.04)
    assert as_defined("msp", logits) == pytest.approx(0.5)
    assert found["energy"] == pytest.approx(7)  # log(0.5 + 0.3 + 0.2) + 7
    assert found["max-logit"] == pytest.approx(np.log(0.5) + 7)


@repeatable
@given(replicates, st.sampled_from([0.1, 3.0, 100.0]))
def test_scores_follow_their_formulas(replicate, scale):
    z = logits_of(replicate, scale=scale)
    p, ordered = softmax(z, -1), np.sort(z, -1)
    assert confidence("msp", z) == pytest.approx(ordered[:, -1] - logsumexp(ordered[:, :-1], -1))
    assert as_defined("margin", z) == pytest.approx(np.sort(p, -1)[:, -1] - np.sort(p, -1)[:, -2])
    assert confidence("logit-margin", z) == pytest.approx(ordered[:, -1] - ordered[:, -2])
    assert confidence("entropy", z) == pytest.approx((p * np.log(np.maximum(p, 1e-300))).sum(-1))
    assert as_defined("gini", z) == pytest.approx((p**2).sum(-1))
    assert confidence("energy", z) == pytest.approx(logsumexp(z, -1))
    assert (confidence("max-logit", z) == z.max(-1)).all()


@repeatable
@given(replicates)
def test_softmax_parts(replicate):
    z, labels = logits_of(replicate), np.random.default_rng(replicate).integers(0, 5, 20)
    for temperature in (1, 0.5, 7.0):
        parts, p = Softmax(z).at(temperature), softmax(z / temperature, -1)
        assert parts.probabilities() == pytest.approx(p)
        assert parts.max_probability() == pytest.approx(p.max(-1))
        assert parts.log_probability(labels) == pytest.approx(np.log(p[np.arange(20), labels]))
        assert parts.summed_probabilities() == pytest.approx(p.sum(0))
        error = p - np.eye(5)[labels]
        assert parts.squared_error(labels) == pytest.approx((error**2).sum(-1))
        row, column, above = parts.probabilities_above(0.2)
        assert above == pytest.approx(p[row, column])
        assert {*zip(*np.nonzero(p > 0.2), strict=True)} <= {*zip(row, column, strict=True)}


def test_the_squared_error_keeps_its_digits_where_it_is_tiny():
    for gap in (1, 20, 40, 300):
        missed = np.exp(-gap) / (1 + np.exp(-gap))  # of two classes, both of which are off by it
        found = Softmax(np.array([[gap, 0.0]])).squared_error(np.array([0]))
        assert found == pytest.approx(2 * missed**2, rel=1e-13, abs=0)


@pytest.mark.parametrize("gap", [30, 40, 700, 740, 800, 1e5, 1e30])
def test_msp_ranks_where_softmax_rounds_to_one(gap):
    logits = np.array([[gap, 0, 0], [gap, 0, -np.log(2)], [gap, -1e9, 0]], dtype=np.float64)
    found = log_odds(logits)  # gap - log(1 + 1), gap - log(1 + 1/2), gap - log(1 + 0)
    assert found == pytest.approx(gap - np.log([2, 1.5, 1]), rel=1e-12)
    assert np.isfinite(Softmax(logits).log_probability(np.array([1, 1, 1]))).all()


@pytest.mark.parametrize("name", ["margin", "gini"])
def test_scores_that_end_at_one_do_not_tie_there(name):
    logits = np.array([[gap, 0.0, 0.0] for gap in (20, 38, 39, 60, 700)])
    assert (as_defined(name, logits)[2:] == 1).all()
    assert (np.diff(confidence(name, logits)) > 0).all()


@pytest.mark.parametrize("name", ["msp", "margin", "entropy", "gini", "energy"])
def test_equal_rows_are_tied_whatever_the_order_of_their_classes(name):
    p = np.array([[0.5, 0.3, 0.2], [0.5, 0.2, 0.3], [0.2, 0.3, 0.5]])
    assert len(set(confidence(name, np.log(p)))) == 1
    draws = np.random.default_rng(0)
    whole = draws.integers(-4, 5, 10).astype(float)
    assert len(set(confidence(name, np.stack([draws.permutation(whole) for _ in range(500)])))) == 1


def test_probabilities_of_equal_maximum_are_tied_in_msp():
    p = np.array([[0.5, 0.3, 0.2], [0.5, 0.2, 0.3], [0.5, 0.25, 0.25], [0.5, 0.5, 0.0]])
    assert (log_odds(np.log(np.maximum(p, 1e-300))) == 0).all()


def test_rounding_ties_nothing_that_differs_by_more_than_a_millionth_of_a_millionth():
    logits = logits_of(0, n=200_000)
    for name in ("msp", "margin", "entropy", "gini", "energy"):
        assert len(set(confidence(name, logits))) == 200_000
    assert round_to_tie(np.array([np.inf, -np.inf, 0.0])).tolist() == [np.inf, -np.inf, 0]
    assert round_to_tie(np.array([1e-300]), least=0.0) == pytest.approx([1e-300], rel=1e-12, abs=0)


def test_equal_logits_have_the_least_confidence():
    equal, other = np.full((1, 4), 3.0), np.array([[3.0, 3.0, 3.0, 2.0]])
    assert confidence("msp", equal) == pytest.approx(-np.log(3))
    assert [confidence("margin", equal)[0], confidence("logit-margin", equal)[0]] == [0, 0]
    assert [pnorm(equal, p)[0] for p in (0, 2)] == [0, 0]
    for name in ("msp", "entropy", "gini"):
        assert confidence(name, equal) < confidence(name, other)


@repeatable
@given(replicates, st.sampled_from([-50.0, 0.25, 1000.0]))
def test_adding_a_constant_changes_only_energy_and_max_logit(replicate, constant):
    logits, val = logits_of(replicate), val_of()
    for name in OF_LOGITS:
        score = fitted(name, *val)
        moved = constant if name in ("energy", "max-logit") else 0
        assert score(Softmax(logits + constant)) - moved == pytest.approx(score(Softmax(logits)), abs=1e-9), name


def test_with_two_classes_scores_of_differences_rank_alike():
    logits = logits_of(1, n=50, n_classes=2)
    expected = np.argsort(confidence("logit-margin", logits))
    for name in ("msp", "margin", "entropy", "gini"):
        assert (np.argsort(confidence(name, logits)) == expected).all(), name


@pytest.mark.parametrize("name", OF_LOGITS)
def test_rows_do_not_depend_on_one_another(name):
    logits, score = logits_of(2, n=1000), fitted(name, *val_of())
    order = np.random.default_rng(0).permutation(1000)
    whole = score(Softmax(logits))
    assert (score(Softmax(logits[order])) == whole[order]).all()
    blocks = each_block(logits.astype(np.float32), lambda rows, part: score(part))
    assert np.concatenate(blocks) == pytest.approx(whole, rel=1e-4, abs=1e-5)


def test_a_module_is_what_the_config_knows_of_it():
    assert names_in("settings.scores") == names_in(scoring.FOLDER)
    for name in names_in(scoring.FOLDER):
        assert scoring.defines_probabilities(name) == SCORES[name].defines_probabilities
        module = scoring.load(name)
        assert hasattr(module, "score") != hasattr(module, "COLUMN")  # computed from logits, or read


def test_all_blocks_together_are_all_rows():
    logits = np.zeros((300, 3000), dtype=np.float32)  # 900,000 numbers: several blocks
    seen = each_block(logits, lambda rows, softmax: rows)
    assert len(seen) > 1
    assert np.concatenate([np.arange(300)[rows] for rows in seen]).tolist() == list(range(300))


# ---- of the label that is reported ----

OF_A_CLASS = ("msp", "msp-ts", "margin", "logit-margin", "max-logit", "pnorm")


def test_scores_of_a_class_are_those_of_the_reported_one():
    p = np.array([[0.5, 0.3, 0.2]])
    kept = Softmax(np.log(p) + 7, reported=np.array([1]))  # the clean label, of which .3 is left on the enhanced image

    def found(name):
        module = scoring.load(name)
        [value] = module.score(kept)
        return module.as_defined(value) if hasattr(module, "as_defined") else value

    assert found("msp") == pytest.approx(0.3)  # not .5, which is that of a class other than the reported one
    assert found("margin") == pytest.approx(0.3 - 0.5)
    assert found("logit-margin") == pytest.approx(np.log(0.3 / 0.5))
    assert found("max-logit") == pytest.approx(np.log(0.3) + 7)
    halved = scoring.load("msp-ts").score(kept, temperature=2)  # softmax(log p / 2) is sqrt(p) over their sum
    assert scoring.load("msp-ts").as_defined(halved) == pytest.approx(np.sqrt(0.3) / np.sqrt(p).sum())
    assert kept.reported_probability() == pytest.approx(0.3)
    for name in set(OF_LOGITS) - set(OF_A_CLASS):  # of the whole distribution
        assert scoring.load(name).score(kept) == confidence(name, np.log(p) + 7), name


@repeatable
@given(replicates)
def test_reporting_the_top_class_changes_no_digit(replicate):
    logits = logits_of(replicate)
    for name in OF_LOGITS:
        score = fitted(name, *val_of())
        assert (score(Softmax(logits, reported=logits.argmax(-1))) == score(Softmax(logits))).all(), name


@repeatable
@given(replicates, st.sampled_from([0.1, 3.0, 300.0]))
def test_a_score_of_a_class_is_the_same_wherever_that_class_stands(replicate, scale):
    logits = logits_of(replicate, scale=scale)
    reported = np.random.default_rng(replicate).integers(0, 5, 20)
    order = np.random.default_rng(1).permutation(5)
    moved, there = logits[:, order], np.argsort(order)[reported]
    for name in OF_A_CLASS:
        score = fitted(name, *val_of())
        one, other = score(Softmax(logits, reported=reported)), score(Softmax(moved, reported=there))
        assert one == pytest.approx(other, rel=1e-9, abs=1e-9), name
        best = score(Softmax(logits))
        assert (one <= best + 1e-9).all() and (one < best)[reported != logits.argmax(-1)].all(), name


def test_log_odds_of_a_reported_class():
    z, reported = logits_of(4), np.random.default_rng(4).integers(0, 5, 20)
    others = np.where(np.eye(5, dtype=bool)[reported], -np.inf, z)
    expected = z[np.arange(20), reported] - logsumexp(others, -1)
    assert log_odds(Softmax(z, reported=reported)) == pytest.approx(expected)
