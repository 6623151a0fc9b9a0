"""How often each sample is in each resample, and percentile intervals."""

from functools import cache
from math import comb, factorial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfdoubt.evaluation import bootstrap
from selfdoubt.evaluation.bootstrap import resample_weights
from selfdoubt.runtime.randomness import generator


@cache
def weights_of(n, n_resamples, purpose="weights", n_in_all=0):
    return np.concatenate([draw() for draw in resample_weights(n, n_resamples, purpose, n_in_all)])


@pytest.mark.parametrize("n", [1, 2, 7, 200])
def test_weights_are_counts_of_n_draws(n):
    weights = weights_of(n, 3000).astype(float)
    assert weights.shape == (3000, n)
    assert (weights.sum(1) == n).all()
    # Each count is binomial(n, 1/n): mean 1, variance 1 - 1/n; two of them have covariance -1/n.
    assert weights.mean(0) == pytest.approx(np.ones(n), abs=0.1)  # 5 standard errors
    assert weights.var(0).mean() == pytest.approx(1 - 1 / n, abs=0.02)
    expected = [comb(n, k) * (1 / n) ** k * (1 - 1 / n) ** (n - k) for k in range(min(n, 4) + 1)]
    assert [(weights == k).mean() for k in range(len(expected))] == pytest.approx(expected, abs=0.01)


def test_weights_of_two_samples_are_binomial_together():
    weights = weights_of(2, 20_000)
    fractions = [(weights[:, 0] == k).mean() for k in range(3)]
    assert fractions == pytest.approx([1 / 4, 1 / 2, 1 / 4], abs=0.015)  # 4 standard errors


def test_draws_beyond_n_are_taken_back_at_random(monkeypatch):
    monkeypatch.setattr(
        bootstrap, "_poisson", lambda n, rate, source: (np.full((n, 16), 3, np.uint8), np.full(16, 3 * n))
    )
    columns = bootstrap._multinomial(60, generator(0, "a"))  # 180 are drawn, 120 must go
    assert (columns.sum(0) == 60).all() and columns.max() <= 3
    assert columns.mean(1).std() == pytest.approx(np.sqrt(3 * (1 / 3) * (2 / 3) / 16), abs=0.06)  # as by chance


@pytest.mark.parametrize("rate", [0.0, 0.3, 0.98])
def test_poisson_counts(rate, monkeypatch):
    counts, sums = bootstrap._poisson(20_000, rate, generator(0, "poisson"))
    assert (sums == counts.sum(0)).all()
    expected = [np.exp(-rate) * rate**k / factorial(k) for k in range(6)]
    assert [(counts == k).mean() for k in range(6)] == pytest.approx(expected, abs=0.004)  # 5 standard errors
    for left, right in (counts[:, ::2], counts[:, 1::2]), (counts[:-1], counts[1:]):  # drawn together, and not
        together = [[((left == i) & (right == j)).mean() for j in range(3)] for i in range(3)]
        assert together == pytest.approx(np.outer(expected[:3], expected[:3]), abs=0.004)
    # Where 16 bits never decide, the further digits alone must do.
    table, cumulative = bootstrap._poisson_pairs(rate)
    monkeypatch.setattr(bootstrap, "_poisson_pairs", lambda rate: (np.full_like(table, bootstrap._RARE), cumulative))
    counts, _ = bootstrap._poisson(20_000, rate, generator(0, "poisson"))
    assert [(counts == k).mean() for k in range(6)] == pytest.approx(expected, abs=0.004)


def test_weights_do_not_depend_on_the_parts(monkeypatch):
    whole = weights_of(3000, 100)
    assert whole.dtype == np.uint8
    assert (weights_of(3000, 100, n_in_all=10**6) == whole).all()
    assert (weights_of(3000, 40) == whole[:40]).all()
    assert (weights_of(3000, 100, "other") != whole).any()
    assert [len(draw()) for draw in resample_weights(3000, 100, "weights", 10**5)] == [16] * 6 + [4]
    monkeypatch.setattr(bootstrap, "_REMEMBERED", 0)
    draws = resample_weights(3000, 100, "weights", 10**6)
    assert (draws[3]() == whole[48:64]).all()  # in any order


@settings(deadline=None, derandomize=True, database=None)
@given(st.integers(1, 10**7))
def test_parts_are_small(n):
    assert 1 <= bootstrap.resamples_at_once(n) * n <= max(2**19, 16 * n)


def test_percentile_interval():
    assert bootstrap.percentile_interval(np.arange(1001)) == pytest.approx((25, 975))
    assert bootstrap.percentile_interval(np.arange(1001), level=0.5) == pytest.approx((250, 750))
    assert bootstrap.percentile_interval(np.array([np.nan, 2.0, 2.0])) == (2, 2)
    assert bootstrap.percentile_interval(np.array([np.nan])) == (None, None)
