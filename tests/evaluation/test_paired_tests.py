"""Comparisons of arms, Holm's correction and verdicts."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm, ttest_1samp

from selfdoubt.evaluation import paired_tests
from selfdoubt.evaluation.bootstrap import resample_weights
from selfdoubt.evaluation.paired_tests import Estimate, holm, n_replicates_needed, paired_comparison, verdict


@cache
def weights_of(n, n_resamples, purpose="weights", n_in_all=0):
    return np.concatenate([draw() for draw in resample_weights(n, n_resamples, purpose, n_in_all)])


def mean_arm(values, n_resamples=400):
    """An arm whose metric is the mean of a value per sample, in so many resamples."""
    return Estimate(values.mean(), weights_of(len(values), n_resamples) @ values / len(values))


def test_an_arm_does_not_differ_from_itself():
    arm = mean_arm(np.random.default_rng(0).random(50))
    found = paired_comparison([(arm, arm)] * 3)
    nothing = {"difference": 0, "low": 0, "high": 0, "p": 1, "effect_size": None}
    assert found == nothing | {"n_replicates": 3, "differences": [0, 0, 0]}


def test_the_effect_size_is_the_mean_over_the_standard_deviation_of_the_differences():
    assert paired_tests.effect_size([1, 2, 3]) == pytest.approx(2 / 1)
    assert paired_tests.effect_size([-0.1, 0.1, -0.3]) == pytest.approx(-0.1 / 0.2)
    assert paired_tests.effect_size([0.5]) is None and paired_tests.effect_size([2, 2, 2]) is None


def test_the_interval_of_one_replicate_is_that_of_its_samples():
    difference = np.random.default_rng(1).normal(0.1, 1, 50)
    found = paired_comparison([(mean_arm(difference), mean_arm(np.zeros(50)))])
    resampled = weights_of(50, 400) @ difference / 50
    assert (found["low"], found["high"]) == pytest.approx(tuple(np.quantile(resampled, [0.025, 0.975])))
    tail = min((resampled <= 0).sum(), (resampled >= 0).sum())
    assert found["p"] == pytest.approx(2 * (tail + 1) / 401)
    assert found["n_replicates"] == 1


def test_where_samples_do_not_vary_it_is_the_paired_t_test():
    pairs = [(mean_arm(np.full(50, value)), mean_arm(np.zeros(50))) for value in (-1.0, 0.0, 4.0)]
    found, theirs = paired_comparison(pairs), ttest_1samp([-1.0, 0.0, 4.0], 0)
    assert found["differences"] == [-1, 0, 4] and found["difference"] == 1
    assert found["p"] == pytest.approx(theirs.pvalue)
    assert (found["low"], found["high"]) == pytest.approx(tuple(theirs.confidence_interval(0.95)))


def test_where_replicates_do_not_vary_it_is_the_interval_of_the_samples():
    difference = np.random.default_rng(1).normal(0.1, 1, 500)
    found = paired_comparison([(mean_arm(difference, 4000), mean_arm(np.zeros(500), 4000))] * 3)
    error = difference.std() / np.sqrt(500)
    assert (found["high"] - found["low"]) / 2 == pytest.approx(1.96 * error, rel=0.05)
    assert found["p"] == pytest.approx(2 * norm.sf(abs(difference.mean()) / error), rel=0.2)


@pytest.mark.parametrize("of_replicates", [0.0, 1.0, 3.0, 100.0])  # standard deviations, in errors of the shared images
def test_the_interval_covers_the_truth(of_replicates):
    covered, decided = 0, 0
    for trial in range(400):
        draws = np.random.default_rng(trial)
        images = draws.normal(0, 1, 100)  # what all replicates share of the test images
        values = [images + draws.normal(0, 0.5, 100) + draws.normal(0, of_replicates / 10) for _ in range(3)]
        found = paired_comparison([(mean_arm(each, 200), mean_arm(np.zeros(100), 200)) for each in values])
        covered += found["low"] <= 0 <= found["high"]
        decided += found["p"] < 0.05
    assert decided == 400 - covered
    assert 0.90 <= covered / 400 <= 0.98  # of 95 %; a bootstrap over replicates, then samples, gives 76 % at the last


def test_resamples_without_a_number_are_excluded():
    sometimes = Estimate(1.0, np.where(np.arange(400) % 3 == 0, np.nan, 1.0))
    found = paired_comparison([(sometimes, mean_arm(np.zeros(50)))])
    assert (found["low"], found["high"]) == (1, 1)
    never = Estimate(1.0, np.full(400, np.nan))
    for pairs in ([(never, mean_arm(np.zeros(50)))], [(never, sometimes)] * 3):
        found = paired_comparison(pairs)
        assert (found["low"], found["high"], found["p"]) == (None, None, None)


def test_resamples_in_which_one_replicate_has_no_number_are_excluded_of_all():
    whole = [mean_arm(np.random.default_rng(replicate).normal(replicate, 1, 50)) for replicate in range(3)]
    holes = [
        Estimate(arm.value, np.where(np.arange(400) % 4 == i, np.nan, arm.resampled)) for i, arm in enumerate(whole)
    ]
    nothing, kept = mean_arm(np.zeros(50)), np.arange(400) % 4 == 3
    found = paired_comparison([(arm, nothing) for arm in holes])
    shorter = [(Estimate(arm.value, arm.resampled[kept]), Estimate(0.0, nothing.resampled[kept])) for arm in whole]
    assert found == paired_comparison(shorter)


def test_holm_by_hand():
    # sorted .01, .03, .04: times 3, 2, 1 is .03, .06, .04; the last is raised to .06
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1, 1]
    assert holm([0.02]) == [0.02]
    assert holm([]) == []


def test_a_comparison_that_was_not_made_still_counts_in_its_family():
    assert holm([0.01, None, 0.02]) == [pytest.approx(0.03), None, pytest.approx(0.04)]


@settings(deadline=None, derandomize=True, database=None)
@given(st.lists(st.floats(0.001, 1), min_size=1, max_size=8))
def test_holm_is_at_least_p_at_most_bonferroni_and_keeps_the_order(p_values):
    corrected = np.array(holm(p_values))
    assert (corrected >= p_values).all()
    assert (corrected <= np.minimum(1, np.array(p_values) * len(p_values))).all()
    assert (np.diff(corrected[np.argsort(p_values)]) >= 0).all()


@pytest.mark.parametrize(
    ("low", "high", "p_holm", "claimed_sign", "expected"),
    [
        (0.1, 0.3, 0.01, +1, "supported"),
        (-0.3, -0.1, 0.01, -1, "supported"),
        (-0.3, -0.1, 0.01, +1, "refuted"),
        (0.1, 0.3, 0.01, -1, "refuted"),
        (-0.1, 0.3, 0.01, +1, "inconclusive"),  # the interval holds 0
        (0.0, 0.3, 0.01, +1, "inconclusive"),
        (0.1, 0.3, 0.05, +1, "inconclusive"),  # the corrected p is not below 0.05
        (None, None, None, +1, "inconclusive"),
    ],
)
def test_verdict(low, high, p_holm, claimed_sign, expected):
    assert verdict(low, high, p_holm, claimed_sign) == expected


def test_n_replicates_needed_agrees_with_tables_of_the_paired_t_test():
    # Effects of 1 and 1/2 standard deviation need 10 and 34 pairs for 80 % power at 5 % (Cohen 1988).
    one = np.array([0.0, 2.0]) / np.sqrt(2) + 1 - 1 / np.sqrt(2)  # mean 1, standard deviation 1
    assert np.std(one, ddof=1) == pytest.approx(1)
    assert n_replicates_needed(list(one)) == 10
    assert n_replicates_needed(list(-one)) == 10
    assert n_replicates_needed(list(one - 0.5)) == 34
    assert n_replicates_needed(list(one - 0.5), power=0.9) == 44


def test_without_an_effect_the_power_is_the_level():
    assert paired_tests._t_test_power(np.array([2, 5, 100]), 1e-9, 0.05) == pytest.approx([0.05] * 3)  # both tails


def test_n_replicates_needed_is_none_where_no_number_would_do():
    assert n_replicates_needed([0.3]) is None
    assert n_replicates_needed([0.3, 0.3, 0.3]) is None
    assert n_replicates_needed([-1.0, 1.0]) is None
    assert n_replicates_needed([-1.0, 1.001]) is None  # some ten million
    assert n_replicates_needed([0.0, 1.0], cap=5) is None
    assert n_replicates_needed([1.0, 1.0 + 1e-12]) == 2
