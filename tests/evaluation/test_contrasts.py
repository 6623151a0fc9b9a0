"""Differences of two arms: intervals and tests, with few images, few replicates, equal differences, identical arms."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student
from scipy.stats import ttest_1samp

from selfdoubt.evaluation import comparisons
from selfdoubt.evaluation.bootstrap import resample_weights
from selfdoubt.evaluation.contrasts import Contrast, Estimate, contrast, effect_size, undistinguished


@cache
def weights_of(n, n_resamples, purpose="weights", n_in_all=0):
    return np.concatenate([draw() for draw in resample_weights(n, n_resamples, purpose, n_in_all)])


def mean_arm(values, n_resamples=400):
    """An arm whose metric is the mean of a value per sample, in so many resamples."""
    values = np.asarray(values, float)
    resampled = weights_of(len(values), n_resamples) @ values / len(values)
    return Estimate(values.mean(), resampled, len(values))


def accuracy_arm(correct, n_resamples=400):
    correct = np.asarray(correct, bool)
    resampled = weights_of(len(correct), n_resamples) @ correct / len(correct)
    return Estimate(correct.mean(), resampled, len(correct), correct[:, None])


def against_nothing(*values, n_resamples=400):
    return contrast([(mean_arm(each, n_resamples), mean_arm(np.zeros(len(each)), n_resamples)) for each in values])


def test_the_effect_size_is_the_mean_over_the_standard_deviation_of_the_differences():
    assert effect_size([1, 2, 3]) == pytest.approx(2 / 1)
    assert effect_size([-0.1, 0.1, -0.3]) == pytest.approx(-0.1 / 0.2)
    assert effect_size([0.5]) is None and effect_size([2, 2, 2]) is None


def test_of_one_replicate_it_is_the_t_interval_of_its_images():
    difference = np.random.default_rng(1).normal(0.1, 1, 50)
    found = against_nothing(difference)
    error = (weights_of(50, 400) @ difference / 50).std(ddof=1)
    reach = student.ppf(0.975, 49) * error
    assert found.interval() == pytest.approx((difference.mean() - reach, difference.mean() + reach))
    assert found.p == pytest.approx(2 * student.sf(difference.mean() / error, 49))


def test_where_images_do_not_vary_it_is_the_paired_t_test():
    found, theirs = against_nothing(*[np.full(50, v) for v in (-1.0, 0.0, 4.0)]), ttest_1samp([-1.0, 0.0, 4.0], 0)
    assert found.differences == (-1, 0, 4) and found.difference == 1
    assert found.p == pytest.approx(theirs.pvalue)
    assert found.interval() == pytest.approx(tuple(theirs.confidence_interval(0.95)))
    assert found.p_above(0) == pytest.approx(theirs.pvalue / 2) and found.p_below(0) == pytest.approx(
        1 - theirs.pvalue / 2
    )


def test_where_replicates_do_not_vary_it_is_the_interval_of_the_images():
    difference = np.random.default_rng(1).normal(0.1, 1, 500)
    found = against_nothing(difference, difference, difference, n_resamples=4000)
    low, high = found.interval()
    assert (high - low) / 2 == pytest.approx(1.96 * difference.std() / np.sqrt(500), rel=0.05)
    assert found.freedom() == pytest.approx(499)


@pytest.mark.parametrize("of_replicates", [0.0, 1.0, 3.0, 100.0])  # standard deviations, in errors of the shared images
def test_the_interval_covers_the_truth(of_replicates):
    covered, decided = 0, 0
    for trial in range(400):
        draws = np.random.default_rng(trial)
        images = draws.normal(0, 1, 100)  # what all replicates share of the test images
        values = [images + draws.normal(0, 0.5, 100) + draws.normal(0, of_replicates / 10) for _ in range(3)]
        found = against_nothing(*values, n_resamples=200)
        low, high = found.interval()
        covered += low <= 0 <= high
        decided += found.p < 0.05
    assert decided == 400 - covered
    assert 0.92 <= covered / 400 <= 0.99  # of 95 %; a bootstrap over replicates, then samples, gives 76 % at the last


# ---- a variance that would be 0 ----


def photographs(n_better: int, n_replicates: int = 3, n: int = 372) -> list:
    """Arms that differ on the same few images in every replicate, all to one side."""
    right = np.arange(n) % 3 == 0
    better = right | (np.arange(n) % 3 == 1) & (np.arange(n) < 3 * n_better)
    return [(accuracy_arm(better), accuracy_arm(right))] * n_replicates


def test_three_equal_differences_of_three_images_are_no_evidence():
    found = contrast(photographs(3))
    low, high = found.interval()
    assert found.difference == pytest.approx(3 / 372)
    assert low < 0 < high and found.p > 0.1
    assert found.freedom() == pytest.approx(2)  # of the three images on which the arms differ


def test_one_image_is_no_evidence_though_replicates_agree_on_it():
    one, other, tie = accuracy_arm([1]), accuracy_arm([0]), accuracy_arm([1])
    found = contrast([(one, other)] * 9 + [(one, tie)])  # differences 1, 1, …, 0
    assert found.p >= 0.5 and found.interval()[0] < 0 and found.difference == pytest.approx(0.9)


@pytest.mark.parametrize("n_better", [4, 5])
def test_means_of_networks_and_of_corruptions_rest_on_the_images_that_differ(n_better):
    pairs = photographs(n_better, n_replicates=5)
    means = [tuple(comparisons._mean([side, side]) for side in pair) for pair in pairs]
    assert contrast(means).freedom() == pytest.approx(contrast(pairs).freedom()) == n_better - 1
    assert contrast(means).p == pytest.approx(contrast(pairs).p) and contrast(means).p > 0.05


def test_any_metric_rests_on_the_images_that_differ():
    """Of 372 images four have another loss, equal in all replicates."""
    better, than = np.zeros(372), np.zeros(372)
    than[:4] = 1.0
    arms = [replace(mean_arm(values), used=values[:, None]) for values in (better, than)]
    found = contrast([tuple(arms)] * 5)
    assert found.freedom() == pytest.approx(3) and found.p > 0.05


def test_arms_of_which_one_has_no_probabilities_differ_on_all_images():
    arms = [replace(mean_arm(np.arange(6.0) + i), used=np.zeros((6, width))) for i, width in enumerate((4, 2))]
    assert contrast([tuple(arms)] * 5).n_images == 6


def test_the_error_is_never_less_than_that_of_the_images_alone():
    draws = np.random.default_rng(3)
    values = [draws.normal(0, 1, 200) for _ in range(4)]
    values = [each - each.mean() + 0.2 for each in values]  # equal differences, of images that share nothing
    found = against_nothing(*values)
    alone = np.mean([mean_arm(each).resampled for each in values], axis=0).std(ddof=1)
    assert found.error() == pytest.approx(alone, rel=0.2) and found.error() >= np.sqrt(found.image_variance / 4) * 0.999


@pytest.mark.parametrize("n_images", [1, 2, 5])
@pytest.mark.parametrize("n_replicates", [1, 3])
def test_where_all_images_differ_to_one_side_the_interval_is_exact(n_images, n_replicates):
    pairs = [(accuracy_arm(np.ones(n_images)), accuracy_arm(np.zeros(n_images)))] * n_replicates
    found = contrast(pairs)
    assert found.p == pytest.approx(min(1, 2 * 0.5**n_images))  # the sign test
    assert found.interval() == pytest.approx((2 * 0.025 ** (1 / n_images) - 1, 1))  # Clopper-Pearson of n of n
    swapped = contrast([(than, better) for better, than in pairs])
    assert swapped.interval() == pytest.approx((-1, 1 - 2 * 0.025 ** (1 / n_images))) and swapped.p == found.p
    assert found.p_within(0.5) == 1


def test_a_ranking_rests_on_the_fewer_of_correct_and_incorrect_images():
    one, other = Estimate(1.0, np.ones(100), 2), Estimate(0.5, np.full(100, 0.5), 2)  # two errors, all above, all tied
    assert contrast([(one, other)] * 3).p == pytest.approx(0.5)


def test_arms_of_equal_values_are_distinguished_from_those_that_only_agree_in_the_mean():
    arm = accuracy_arm([1, 0, 1, 1])
    assert undistinguished([(arm, accuracy_arm([1, 0, 1, 1]))] * 3)
    assert not undistinguished([(arm, accuracy_arm([0, 1, 1, 1]))] * 3)
    found = contrast([(arm, accuracy_arm([0, 1, 1, 1]))] * 3)
    low, high = found.interval()
    assert found.difference == 0 and low < 0 < high and found.p == 1


@settings(deadline=None, derandomize=True, database=None, max_examples=150)
@given(
    st.integers(1, 12).flatmap(
        lambda n: st.lists(st.tuples(*[st.lists(st.booleans(), min_size=n, max_size=n)] * 2), min_size=1, max_size=4)
    )
)
def test_no_interval_has_width_0_and_no_p_is_0(drawn):
    pairs = [(accuracy_arm(better), accuracy_arm(than)) for better, than in drawn]
    if undistinguished(pairs):
        assert all(better == than for better, than in drawn)
        return
    found = contrast(pairs)
    low, high = found.interval()
    assert low <= found.difference <= high and low < high
    assert 0 < found.p <= 1 and found.freedom() >= 1
    assert found.p_above(0) > 0 and found.p_below(0) > 0
    wide = found.interval(0.99)
    assert wide[0] <= low and high <= wide[1]


@pytest.mark.parametrize(("n_images", "n_replicates"), [(5, 1), (5, 3), (20, 1), (20, 5), (100, 3)])
def test_few_images_do_not_make_differences_of_nothing(n_images, n_replicates):
    called = 0
    for trial in range(400):
        draws = np.random.default_rng(trial)
        sides = draws.random((2, n_images)) < 0.7  # of the images' own, the same in all replicates
        pairs = [
            tuple(accuracy_arm(np.logical_xor(s, draws.random(n_images) < 0.1), 200) for s in sides)
        ] * n_replicates
        called += not undistinguished(pairs) and contrast(pairs).p < 0.05
    assert called / 400 <= 0.08


def test_training_sets_that_overlap_add_what_does_not_fall_with_replicates():
    alone = Contrast((0.0, 2.0), 0.0, 0.0, 100)
    overlapping = Contrast((0.0, 2.0), 0.0, 0.0, 100, overlap=0.2)  # s² = 2: 2 (1 / 2 + .2 / .8)
    assert alone.error() ** 2 == pytest.approx(1) and overlapping.error() ** 2 == pytest.approx(1.5)


def test_within_a_margin_is_two_one_sided_tests():
    found = Contrast((-0.1, 0.0, 0.1, 0.2), 0.0, 0.0, 100)
    sides = (
        ttest_1samp(found.differences, -0.5, alternative="greater"),
        ttest_1samp(found.differences, 0.5, alternative="less"),
    )
    assert found.p_within(0.5) == pytest.approx(max(side.pvalue for side in sides))


# ---- resamples without a number ----


def test_resamples_without_a_number_are_excluded():
    sometimes = Estimate(1.0, np.where(np.arange(400) % 3 == 0, np.nan, mean_arm(np.arange(50)).resampled))
    kept = np.arange(400) % 3 != 0
    found = contrast([(sometimes, mean_arm(np.zeros(50)))])
    assert found.image_variance == pytest.approx(sometimes.resampled[kept].var(ddof=1))
    never = Estimate(1.0, np.full(400, np.nan))
    for pairs in ([(never, mean_arm(np.zeros(50)))], [(never, sometimes)] * 3):
        assert contrast(pairs) is None


def test_resamples_in_which_one_replicate_has_no_number_are_excluded_of_all():
    whole = [mean_arm(np.random.default_rng(replicate).normal(replicate, 1, 50)) for replicate in range(3)]
    holes = [
        Estimate(arm.value, np.where(np.arange(400) % 4 == i, np.nan, arm.resampled)) for i, arm in enumerate(whole)
    ]
    nothing, kept = mean_arm(np.zeros(50)), np.arange(400) % 4 == 3
    found = contrast([(arm, nothing) for arm in holes])
    shorter = [(Estimate(arm.value, arm.resampled[kept]), Estimate(0.0, nothing.resampled[kept])) for arm in whole]
    assert found.interval() == contrast(shorter).interval()


def test_resamples_without_a_number_do_not_set_equal_arms_apart():
    """Two arms with the same AUROC whose resamples without errors are not the same ones: no interval of width 0."""
    one, other = np.full(20, 1.0), np.full(20, 1.0)
    one[:4], other[10:13] = np.nan, np.nan
    pairs = [(Estimate(1.0, one), Estimate(1.0, other))] * 5
    assert undistinguished(pairs) and comparisons.compare_estimates(pairs, 0.0).contrast is None
    other[15] = 0.5
    assert not undistinguished(pairs)
