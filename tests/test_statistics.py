"""Resample weights, intervals, comparisons, Holm's correction and verdicts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfdoubt import statistics
from selfdoubt.randomness import generator
from selfdoubt.statistics import Arm, holm, n_seeds_needed, paired_comparison, resample_weights, verdict


def weights_of(n, n_resamples, chunk=0, name="weights"):
    return list(resample_weights(n, n_resamples, generator(0, name, n), chunk))


def mean_arm(values):
    """An arm whose metric is the mean of a value per sample."""
    return Arm(values.mean(), lambda weights: weights @ values / len(values))


def compare(pairs, n=50, n_resamples=400, seed=0):
    return paired_comparison(pairs, weights_of(n, n_resamples), generator(seed, "seeds"))


def test_weights_are_counts_of_n_draws():
    weights = np.concatenate(weights_of(200, 3000))
    assert weights.shape == (3000, 200)
    assert weights.dtype == np.uint8
    assert (weights.sum(1) == 200).all()
    # Each count is binomial(200, 1/200): mean 1, variance 1 - 1/200, and no draw is 0.366 of the time.
    assert weights.mean(0) == pytest.approx(np.ones(200), abs=0.1)  # 5 standard errors
    assert weights.var() == pytest.approx(1 - 1 / 200, abs=0.01)
    assert (weights == 0).mean() == pytest.approx((1 - 1 / 200) ** 200, abs=0.003)


def test_weights_do_not_depend_on_the_chunk():
    whole = np.concatenate(weights_of(30, 100))
    assert (np.concatenate(weights_of(30, 100, chunk=7)) == whole).all()
    assert [len(part) for part in weights_of(30, 100, chunk=30)] == [30, 30, 30, 10]
    assert (np.concatenate(weights_of(30, 100, name="other")) != whole).any()


@settings(deadline=None, derandomize=True, database=None)
@given(st.integers(1, 10**6))
def test_chunks_are_small(n):
    assert 1 <= statistics.resamples_at_once(n) * n <= max(2**20, 16 * n)


def test_percentile_interval():
    assert statistics.percentile_interval(np.arange(1001)) == pytest.approx((25, 975))
    assert statistics.percentile_interval(np.arange(1001), level=0.5) == pytest.approx((250, 750))
    assert statistics.percentile_interval(np.array([np.nan, 2.0, 2.0])) == (2, 2)
    assert statistics.percentile_interval(np.array([np.nan])) == (None, None)


def test_an_arm_does_not_differ_from_itself():
    arm = mean_arm(np.random.default_rng(0).random(50))
    found = compare([(arm, arm)] * 3)
    assert found == {"difference": 0, "low": 0, "high": 0, "p": 1, "n_seeds": 3, "differences": [0, 0, 0]}


def test_both_arms_and_all_seeds_get_the_same_weights():
    values = np.random.default_rng(0).random(50)
    found = compare([(mean_arm(values + 0.25), mean_arm(values))] * 3)
    assert [found["low"], found["high"]] == pytest.approx([0.25, 0.25])  # any other pairing would have a width
    assert found["p"] == pytest.approx(2 * (0 + 1) / (400 + 1))  # the least there is, and not 0


def test_the_interval_of_one_seed_is_that_of_its_samples():
    difference = np.random.default_rng(1).normal(0.1, 1, 50)
    found = compare([(mean_arm(difference), mean_arm(np.zeros(50)))])
    resampled = np.concatenate(weights_of(50, 400)) @ difference / 50
    assert (found["low"], found["high"]) == pytest.approx(tuple(np.quantile(resampled, [0.025, 0.975])))
    tail = min((resampled <= 0).sum(), (resampled >= 0).sum())
    assert found["p"] == pytest.approx(2 * (tail + 1) / 401)
    assert found["n_seeds"] == 1


def test_seeds_are_resampled_too():
    pairs = [(mean_arm(np.full(50, value)), mean_arm(np.zeros(50))) for value in (-1.0, 0.0, 4.0)]
    found = compare(pairs, n_resamples=4000)
    assert found["differences"] == [-1, 0, 4]
    assert found["difference"] == 1
    # Samples do not vary here. The mean of three seeds drawn from three is -1 once in 27, 4 once in 27.
    assert (found["low"], found["high"]) == (-1, 4)
    # A mean of at most 0 takes seeds -1 and 0 only: 8 of 27.
    assert found["p"] == pytest.approx(2 * 8 / 27, abs=0.04)


def test_the_interval_covers_the_truth():
    covered = 0
    for trial in range(200):
        draws = np.random.default_rng(trial)
        images = draws.normal(0, 1, 50)  # what all seeds share of the test images
        pairs = [(mean_arm(0.3 + images + draws.normal(0, 0.1, 50)), mean_arm(np.zeros(50))) for _ in range(3)]
        found = compare(pairs, n_resamples=200, seed=trial)
        covered += found["low"] <= 0.3 <= found["high"]
    assert 0.89 <= covered / 200 <= 0.99  # of 95 %; images resampled for each seed apart would give about 75 %


def test_resamples_without_a_number_are_left_out():
    sometimes = Arm(1.0, lambda weights: np.where(weights[:, 0] == 0, np.nan, 1.0))
    found = compare([(sometimes, mean_arm(np.zeros(50)))])
    assert (found["low"], found["high"]) == (1, 1)
    never = Arm(1.0, lambda weights: np.full(len(weights), np.nan))
    found = compare([(never, mean_arm(np.zeros(50)))])
    assert (found["difference"], found["low"], found["high"], found["p"]) == (1, None, None, None)


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


def test_n_seeds_needed_agrees_with_tables_of_the_paired_t_test():
    # Effects of 1 and 1/2 standard deviation need 10 and 34 pairs for 80 % power at 5 % (Cohen 1988).
    one = np.array([0.0, 2.0]) / np.sqrt(2) + 1 - 1 / np.sqrt(2)  # mean 1, standard deviation 1
    assert np.std(one, ddof=1) == pytest.approx(1)
    assert n_seeds_needed(list(one)) == 10
    assert n_seeds_needed(list(-one)) == 10
    assert n_seeds_needed(list(one - 0.5)) == 34
    assert n_seeds_needed(list(one - 0.5), power=0.9) == 44


def test_without_an_effect_the_power_is_the_level():
    assert statistics._t_test_power(np.array([2, 5, 100]), 1e-9, 0.05) == pytest.approx([0.05] * 3)  # both tails


def test_n_seeds_needed_is_none_where_no_number_would_do():
    assert n_seeds_needed([0.3]) is None
    assert n_seeds_needed([0.3, 0.3, 0.3]) is None
    assert n_seeds_needed([-1.0, 1.0]) is None
    assert n_seeds_needed([-1.0, 1.001]) is None  # some ten million
    assert n_seeds_needed([0.0, 1.0], cap=5) is None
    assert n_seeds_needed([1.0, 1.0 + 1e-12]) == 2
