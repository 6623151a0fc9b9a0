"""Scores that are fitted on val, or by a column of predictions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from small_scores import fitted, logits_of, val_of

from selfdoubt.evaluation import scoring
from selfdoubt.evaluation.log_odds import log_odds
from selfdoubt.evaluation.predictions import Predictions
from selfdoubt.evaluation.rankings import aurc, rank
from selfdoubt.evaluation.scores.pnorm import POWERS, pnorm
from selfdoubt.evaluation.softmax import TEMPERATURE_BOUNDS, Softmax, first_fault, fit_temperature
from selfdoubt.evaluation.undefined import Undefined

repeatable = settings(deadline=None, derandomize=True, database=None, max_examples=50)
replicates = st.integers(0, 1000)


def nll(logits, labels, temperature):
    return -log_softmax(logits / temperature, -1)[np.arange(len(labels)), labels].mean()


@repeatable
@given(replicates)
def test_the_fitted_temperature_has_the_lowest_nll(replicate):
    logits, labels = val_of(replicate)
    best = fit_temperature(logits, labels)
    assert nll(logits, labels, best) <= min(nll(logits, labels, best * factor) for factor in (0.5, 0.99, 1.01, 2))


@pytest.mark.parametrize("scale", [0.05, 1, 30])
def test_temperature_undoes_a_scaling_of_the_logits(scale):
    logits, labels = val_of()
    expected = fit_temperature(logits, labels)
    assert expected == pytest.approx(1, abs=0.2)  # the labels were drawn from this softmax
    assert fit_temperature(scale * logits, labels) == pytest.approx(scale * expected, rel=1e-4)
    ts = fitted("msp-ts", scale * logits, labels)
    assert ts(Softmax(scale * logits)) == pytest.approx(log_odds(logits, expected), rel=1e-3, abs=1e-3)
    assert ts.chosen == {"temperature": fit_temperature(scale * logits, labels)}


@repeatable
@given(replicates, st.sampled_from([0.01, 1.0, 50.0]))
def test_the_fitted_temperature_is_that_of_a_search(replicate, scale):
    logits, labels = val_of(replicate, n=60, n_classes=3)
    low, high = np.log(TEMPERATURE_BOUNDS)
    search = minimize_scalar(lambda t: nll(logits * scale, labels, np.exp(t)), bounds=(low, high), method="bounded")
    assert fit_temperature(logits * scale, labels) == pytest.approx(np.exp(search.x), rel=1e-3)


@pytest.mark.parametrize("correct", [True, False])
def test_temperature_stays_within_bounds_where_the_best_is_infinite(correct):
    labels = np.arange(50) % 5
    logits = np.eye(5)[labels if correct else (labels + 1) % 5] * 4
    low, high = TEMPERATURE_BOUNDS
    assert low <= fit_temperature(logits, labels) <= high
    assert np.isfinite(fitted("msp-ts", logits, labels)(Softmax(logits))).all()


def test_pnorm_is_the_centred_logit_over_the_norm():
    centred = logits_of(3) - logits_of(3).mean(-1, keepdims=True)
    for p in range(1, 10):
        expected = centred.max(-1) / np.linalg.norm(centred, ord=p, axis=-1)
        assert pnorm(logits_of(3), p) == pytest.approx(expected)
        assert pnorm(logits_of(3) * 1e200, p) == pytest.approx(expected)


def test_pnorm_zero_is_the_centred_logit_without_a_norm():
    # The authors' normalize() leaves centred logits as they are for p = 0: [5, 2, -1] and [6, 0, 0], each less 2.
    logits = np.array([[5.0, 2.0, -1.0], [6.0, 0.0, 0.0]])
    assert pnorm(logits, 0) == pytest.approx([3, 4])
    assert pnorm(logits, 1) == pytest.approx([3 / (3 + 0 + 3), 4 / (4 + 2 + 2)])
    assert pnorm(logits, 2) == pytest.approx([3 / np.sqrt(18), 4 / np.sqrt(24)])
    assert pnorm(logits, 0, reported=np.array([1, 2])) == pytest.approx([0, -2])


def test_pnorm_may_choose_no_norm():
    # Centred already: tops 6, 3, 4, 5, and log-odds of about 1, 3, 4, 1. Correct are the first and the last, which
    # p = 0 ranks first and msp last.
    logits = np.array([[6.0, 5.0, -11.0], [3.0, 0.0, -3.0], [4.0, 0.0, -4.0], [5.0, 4.0, -9.0]])
    assert np.argsort(-pnorm(logits, 0)).tolist() == [0, 3, 2, 1]
    assert fitted("pnorm", logits, np.array([0, 1, 1, 0])).chosen == {"p": 0}


def test_pnorm_takes_the_p_of_lowest_aurc():
    logits, labels = val_of(5)
    logits *= np.random.default_rng(0).gamma(0.5, 1, (400, 1))  # sizes that hold no information, which a norm removes
    areas = {p: aurc(pnorm(logits, p), logits.argmax(-1) == labels) for p in POWERS}
    best = min(areas, key=areas.get)
    assert areas[best] < aurc(log_odds(logits), logits.argmax(-1) == labels)
    assert fitted("pnorm", logits, labels).chosen == {"p": best}
    assert fitted("pnorm", logits, labels)(Softmax(logits)) == pytest.approx(pnorm(logits, best))


def test_pnorm_falls_back_to_msp():
    logits, _ = val_of()
    all_correct = fitted("pnorm", logits, logits.argmax(-1))  # AURC is 0 with any score
    two_classes = fitted("pnorm", logits[:, :2], np.zeros(400, dtype=int))
    assert all_correct.chosen == two_classes.chosen == {"score": "msp"}
    assert (all_correct(Softmax(logits)) == log_odds(logits)).all()


def test_pnorm_is_chosen_by_the_reported_label():
    logits, labels = val_of(5)
    correct = np.arange(400) % 3 == 0  # which has nothing to do with the logits
    reported = np.where(correct, labels, (labels + 1) % 5)
    chosen = fitted("pnorm", logits, labels, predicted=reported)
    softmax = Softmax(logits, reported=reported)
    candidates = [log_odds(softmax), *(pnorm(logits, p, reported) for p in POWERS)]
    least = min(aurc(rank(candidate, correct)) for candidate in candidates)
    assert aurc(chosen(softmax), correct) == pytest.approx(least)


@pytest.mark.parametrize("name", ["msp-ts", "pnorm"])
def test_nothing_is_fitted_on_val_that_is_empty_or_infinite(name):
    logits, labels = val_of()
    with pytest.raises(Undefined, match="no samples in val"):
        fitted(name, logits[:0], labels[:0])
    logits[[7, 9], 1] = np.inf, np.nan
    with pytest.raises(Undefined, match=r"val: row 7 .*not finite"):
        fitted(name, logits, labels)
    with pytest.raises(Undefined, match=r"val: row 0 .*label 9"):
        fitted(name, val_of()[0], np.full(400, 9))


def test_what_was_chosen_on_val():
    val = {"val": Predictions(*val_of())}
    found = scoring.chosen_on_val(scoring.fit_scores(val, ["msp", "msp-ts", "pnorm", "gini", "mc-dropout"]))
    assert set(found) == {"msp-ts", "pnorm"} and set(found["msp-ts"]) == {"temperature"}
    assert scoring.chosen_on_val(scoring.fit_scores({}, ["msp-ts", "pnorm"])) == {}


def test_first_fault():
    logits = np.zeros((4, 3), dtype=np.float32)
    assert first_fault(logits, np.array([0, 1, 2, 0])) is None
    assert first_fault(logits, np.array([0, 1, -1, 0])).startswith("row 2 has label -1")
    logits[:] = np.finfo(np.float32).max  # their sum is infinite, they are not
    assert first_fault(logits) is None
    for fault in (np.nan, np.inf, -np.inf):
        logits[[1, 3], 2] = fault
        assert first_fault(logits).startswith("row 1 ")
    huge = np.zeros((3, 2))
    huge[1, 0] = -1e301
    assert first_fault(huge).startswith("row 1 has a logit of -1e+301")
    assert first_fault(np.float64([[-1e30, 0.0]])) is None  # as of a class that is masked


@pytest.mark.filterwarnings("error")
def test_a_temperature_at_a_bound_is_found_without_a_warning():
    # Right by a gap of more than 1,000: flat from T = 1 on down, but for what no double can hold.
    logits = np.array([[-836.4, 432.0, -1000.0], [794.9, -278.2, -900.0]])
    assert 1e-3 * (1 - 1e-9) <= fit_temperature(logits, np.array([1, 0])) <= 1
    assert fit_temperature(logits, np.array([0, 1])) == pytest.approx(1e3)


@pytest.mark.parametrize("logits", [np.zeros((6, 3)), 1e7 * np.eye(3)[[0, 1, 2, 0, 1, 2]]])
def test_where_the_nll_is_flat_no_temperature_is_better_than_one(logits):
    assert fit_temperature(logits, np.array([0, 1, 2, 0, 1, 2])) == 1.0


# ---- disagreement ----


def with_column(logits, labels, disagreement) -> Predictions:
    return Predictions(logits, labels, signals={"disagreement": np.asarray(disagreement, np.float32)})


def test_disagreement_lowers_the_log_odds_by_hand():
    # Log-odds log 3, log 9 and log 4. The second is incorrect: with c = 1 it is log 9 - 1 > log 3, with 2 last.
    logits = np.log([[3.0, 1.0], [9.0, 1.0], [1.0, 4.0]])
    val = with_column(logits, np.array([0, 1, 1]), [0.0, 1.0, 0.0])
    score = scoring.fit_scores({"val": val}, ["disagreement"])["disagreement"]
    assert score.chosen == {"c": 2} and scoring.chosen_on_val({"disagreement": score}) == {"disagreement": {"c": 2}}
    found = scoring.from_column(val, "val", "disagreement", score)
    assert found == pytest.approx([np.log(3), np.log(9) - 2, np.log(4)])


def test_disagreement_that_orders_nothing_better_leaves_msp():
    logits, labels = val_of()
    correct = logits.argmax(1) == labels
    for misleading in (correct.astype(float), np.zeros(400)):
        val = with_column(logits, labels, misleading)
        score = scoring.fit("disagreement", val)
        assert score.chosen == {"c": 0}
        assert (scoring.from_column(val, "test", "disagreement", score) == log_odds(logits)).all()


def test_disagreement_needs_its_column_and_val():
    logits, labels = val_of()
    for val, reason in (
        (Predictions(logits, labels), "no column 'disagreement'"),
        (with_column(logits, labels, [np.nan] * 400), "val: row 0"),
    ):
        found = scoring.fit_scores({"val": val}, ["disagreement", "msp"])
        assert reason in str(found["disagreement"]) and isinstance(found["msp"], scoring.Score)
    with pytest.raises(Undefined, match="no samples in val"):
        scoring.fit("disagreement", with_column(logits[:0], labels[:0], []))
