"""Metrics against sums by hand, against the average over all orders of ties, and against scikit-learn."""

from itertools import combinations, groupby, pairwise, permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from selfdoubt import metrics
from selfdoubt.errors import UserError
from selfdoubt.evaluation import Calibration
from selfdoubt.metrics import METRICS, Undefined, metric, rank
from selfdoubt.statistics import resample_weights

repeatable = settings(deadline=None, derandomize=True, database=None, max_examples=50)
samples = st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=1, max_size=40).map(
    lambda pairs: (np.array([c for c, _ in pairs], dtype=float), np.array([right for _, right in pairs]))
)
RANKED = ["auroc", "aurc", "e-aurc", "naurc", "augrc", "coverage-at-sac-90", "coverage-at-sac-50"]
RANKED += ["risk-at-coverage-50", "risk-at-coverage-70", "ood-auroc", "ood-aupr-in", "ood-aupr-out", "ood-fpr95"]


def value_of(name, *arguments):
    """The metric, or None if it does not exist."""
    try:
        return float(metric(name).function(*arguments))
    except Undefined:
        return None


def in_one_order(errors):
    """Every ranking metric of errors (0 or 1) without ties, the surest first, from its textbook sum."""
    n, total = len(errors), sum(errors)
    risk = [sum(errors[:k]) / k for k in range(1, n + 1)]
    best = [max(0, k - (n - total)) / k for k in range(1, n + 1)]
    generalised = [0, *(sum(errors[:k]) / n for k in range(1, n + 1))]
    values = {
        "aurc": sum(risk) / n,
        "e-aurc": (sum(risk) - sum(best)) / n,
        "augrc": sum((a + b) / 2 for a, b in pairwise(generalised)) / n,
        "risk-at-coverage-50": risk[-(-n // 2) - 1],
        "risk-at-coverage-70": risk[-(-n * 7 // 10) - 1],
    }
    if 0 < total < n:
        won = sum(1 for a, b in combinations(errors, 2) if a == 0 and b == 1)
        values["auroc"] = won / (total * (n - total))
        values["naurc"] = (sum(risk) - sum(best)) / (total - sum(best))
    return values


def all_orders(confidence, correct):
    """Every order of the errors by falling confidence, ties in all their orders."""
    pairs = sorted(zip(-confidence, ~correct, strict=True))
    blocks = [[int(wrong) for _, wrong in block] for _, block in groupby(pairs, key=lambda pair: pair[0])]
    return [sum(order, ()) for order in product(*(permutations(block) for block in blocks))]


@settings(repeatable)
@given(samples.filter(lambda sample: len(sample[0]) <= 7))
def test_ties_count_as_the_average_over_their_orders(sample):
    orders = [in_one_order(order) for order in all_orders(*sample)]
    for name in ("aurc", "e-aurc", "augrc", "risk-at-coverage-50", "risk-at-coverage-70", "auroc", "naurc"):
        expected = np.mean([order[name] for order in orders]) if name in orders[0] else None
        assert value_of(name, *sample) == (None if expected is None else pytest.approx(expected, abs=1e-13)), name


@pytest.mark.parametrize("n", [1, 3, 6, 7])
def test_one_tie_block_of_seven_is_the_average_over_all_its_orders(n):
    correct = np.arange(7) >= n  # n wrong samples
    orders = [in_one_order(order) for order in set(permutations([int(not c) for c in correct]))]
    for name in orders[0]:
        expected = np.mean([order[name] for order in orders])
        assert value_of(name, np.zeros(7), correct) == pytest.approx(expected, abs=1e-13), name


def test_aurc_with_one_error_ranked_second():
    confidence, correct = [0.9, 0.8, 0.1], [True, False, True]
    assert metrics.aurc(confidence, correct) == pytest.approx((0 / 1 + 1 / 2 + 1 / 3) / 3)
    assert metrics.e_aurc(confidence, correct) == pytest.approx((1 / 2 + 1 / 3) / 3 - (1 / 3) / 3)
    assert metrics.naurc(confidence, correct) == pytest.approx((1 / 2 / 3) / (1 / 3 - 1 / 9))
    assert metrics.auroc(confidence, correct) == pytest.approx(1 / 2)
    assert metrics.augrc(confidence, correct) == pytest.approx((0 + 0.5 + 1) / 3 / 3)  # E/n at mid-steps: 0, 1/6, 1/3


def test_ties_of_a_long_ranking():
    generator = np.random.default_rng(0)
    confidence, correct = generator.integers(0, 300, 5000).astype(float), generator.random(5000) < 0.8
    ends = [(confidence >= level).sum() for level in np.unique(confidence)[::-1]]
    errors = [(~correct[confidence >= level]).sum() for level in np.unique(confidence)[::-1]]
    expected = np.interp(np.arange(1, 5001), [0, *ends], [0, *errors]) / np.arange(1, 5001)
    assert metrics.aurc(confidence, correct) == pytest.approx(expected.mean(), rel=1e-12)
    coverage, risk = metrics.risk_coverage_curve(confidence, correct)
    assert risk == pytest.approx(expected, rel=1e-12)
    assert coverage == pytest.approx(np.arange(1, 5001) / 5000)
    assert metrics.auroc(confidence, correct) == pytest.approx(roc_auc_score(correct, confidence), rel=1e-12)


@settings(repeatable)
@given(samples)
def test_augrc_is_its_identity_in_auroc_and_accuracy(sample):
    a, auroc = metrics.accuracy(sample[1]), value_of("auroc", *sample)
    expected = (1 - (auroc or 0)) * a * (1 - a) + (1 - a) ** 2 / 2
    assert metrics.augrc(*sample) == pytest.approx(expected, abs=1e-13)


@settings(repeatable)
@given(samples.filter(lambda sample: 0 < sample[1].sum() < len(sample[1])))
def test_scikit_learn_agrees(sample):
    confidence, inside = sample
    assert metrics.auroc(*sample) == pytest.approx(roc_auc_score(inside, confidence))
    assert metrics.aupr_in(*sample) == pytest.approx(average_precision_score(inside, confidence))
    assert metrics.aupr_out(*sample) == pytest.approx(average_precision_score(~inside, -confidence))
    false, true, _ = roc_curve(inside, confidence, drop_intermediate=False)
    assert metrics.fpr95(*sample) == pytest.approx(false[true >= 0.95][0])


def test_fpr95_keeps_the_threshold_at_which_exactly_95_percent_stay():
    inside = np.arange(22) != 19  # 19 ID samples, an OOD one, 2 more ID ones
    confidence = np.arange(22, 0, -1)
    assert metrics.fpr95(confidence[:21], inside[:21]) == 0  # 19 of 20 are above it
    assert metrics.fpr95(confidence, inside) == 1  # 19 of 21 are too few


@settings(repeatable)
@given(samples, st.integers(1, 100))
def test_coverage_is_the_largest_over_thresholds(sample, percent):
    confidence, correct = sample
    accepted = [confidence >= threshold for threshold in np.unique(confidence)]
    good = [each.mean() for each in accepted if 100 * correct[each].sum() >= percent * each.sum()]
    assert metrics.coverage_at_accuracy(*sample, percent=percent) == pytest.approx(max(good, default=0))


def test_a_selective_accuracy_is_reached_when_it_is_equal():
    confidence = np.arange(400, 0, -1)
    correct = np.arange(400) != 199  # 199 of the first 200 are correct: 99.5 %; 399 of 400 more
    assert value_of("coverage-at-sac-99.5", confidence, correct) == 1
    correct[200:] = False
    assert value_of("coverage-at-sac-99.5", confidence, correct) == 200 / 400
    assert value_of("coverage-at-sac-99.6", confidence, correct) == 199 / 400
    assert value_of("coverage-at-sac-99.6", np.zeros(400), correct) == 0  # the tie block enters whole


def test_risk_at_coverage_rounds_the_number_of_samples_up():
    confidence, correct = [5, 4, 3, 2, 1], [True, True, False, False, True]
    assert value_of("risk-at-coverage-50", confidence, correct) == pytest.approx(1 / 3)  # ceil(2.5) = 3
    assert value_of("risk-at-coverage-80", confidence, correct) == pytest.approx(2 / 4)  # 4 exactly, not 5
    assert value_of("risk-at-coverage-70", np.arange(10), np.arange(10) > 2) == 0  # 7 exactly, in decimals


@settings(repeatable)
@given(samples, st.randoms(use_true_random=False))
def test_row_order_and_monotone_maps_change_nothing(sample, random):
    confidence, correct = sample
    order = random.sample(range(len(correct)), len(correct))
    for name in RANKED:
        value = value_of(name, *sample)
        assert value_of(name, confidence[order], correct[order]) == value
        assert value_of(name, np.exp(3 * confidence) - 7, correct) == value


def test_all_correct_or_none():
    confidence, every, none = np.array([3.0, 2.0, 2.0]), np.ones(3, bool), np.zeros(3, bool)
    perfect = [value_of(name, confidence, every) for name in ("aurc", "e-aurc", "augrc", "risk-at-coverage-50")]
    assert perfect == [0, 0, 0, 0]
    assert [value_of(f"coverage-at-sac-{x}", confidence, every) for x in (90, 100)] == [1, 1]
    assert [value_of(name, confidence, none) for name in ("aurc", "e-aurc", "augrc")] == pytest.approx([1, 0, 0.5])
    assert value_of("coverage-at-sac-90", confidence, none) == 0
    for metric_of_both in (metrics.auroc, metrics.naurc):
        with pytest.raises(Undefined, match="no wrong samples"):
            metric_of_both(confidence, every)
        with pytest.raises(Undefined, match="no correct samples"):
            metric_of_both(confidence, none)


def test_one_sample_and_none():
    assert [value_of(name, [0.3], [False]) for name in ("aurc", "e-aurc", "augrc", "auroc")] == [1, 0, 0.5, None]
    for function in (metrics.aurc, metrics.ece, metrics.mce, metrics.ece_adaptive):
        with pytest.raises(Undefined, match="no samples"):
            function(np.array([]), np.array([]))


def test_constant_confidence_is_no_better_than_chance():
    correct = np.array([True, True, False, True])
    assert metrics.auroc(np.zeros(4), correct) == 0.5
    assert metrics.aurc(np.zeros(4), correct) == pytest.approx(1 / 4)  # the risk is r at every coverage
    assert metrics.naurc(np.zeros(4), correct) == pytest.approx(1)


def test_infinite_confidence_ranks_and_nan_does_not():
    assert metrics.auroc([np.inf, 0.0, -np.inf], [True, True, False]) == 1
    with pytest.raises(Undefined, match="row 1 "):
        rank([0.5, np.nan], [True, False])


# ---- calibration ----


def test_ece_and_mce_by_hand():
    top, correct = np.array([0.95, 0.99, 0.55, 0.6]), np.array([True, False, True, True])
    # bins of width 1/5: (0.8, 1] has accuracy 1/2 and confidence 0.97; (0.4, 0.6] has 1 and 0.575
    assert metrics.ece(top, correct, 5) == pytest.approx(2 / 4 * 0.47 + 2 / 4 * 0.425)
    assert metrics.mce(top, correct, 5) == pytest.approx(0.47)


def test_bins_are_open_below_and_closed_above():
    edges = np.arange(16) / 15
    confidence, accuracy, share = metrics.reliability_bins(edges, np.arange(16) % 2 == 0, 15)
    assert confidence == pytest.approx([edges[:2].mean(), *edges[2:]])  # 0 falls in the first bin
    assert accuracy == pytest.approx([0.5, *[1.0, 0.0] * 7])
    assert share == pytest.approx([2 / 16] + [1 / 16] * 14)
    assert np.isnan(metrics.reliability_bins([0.9], [True], 2)[0][0])  # an empty bin


def test_ece_adaptive_by_hand():
    top, correct = np.array([0.5, 0.6, 0.7, 0.8, 0.9]), np.array([True, False, True, True, True])
    # array_split of five in two: 0.5, 0.6, 0.7 with 2 of 3 correct, then 0.8, 0.9 with 2 of 2
    assert metrics.ece_adaptive(top, correct, 2) == pytest.approx(abs(2 - 1.8) / 5 + abs(2 - 1.7) / 5)
    assert metrics.ece_adaptive(top, correct, 15) == pytest.approx((0.5 + 0.6 + 0.3 + 0.2 + 0.1) / 5)


def test_ece_adaptive_spreads_a_tie_block_over_its_bins():
    top, correct = np.full(4, 0.75), np.array([True, True, False, False])
    assert metrics.ece_adaptive(top, correct, 2) == pytest.approx(0.25)  # 1 of 2 correct in each bin
    assert metrics.ece_adaptive(top, correct[::-1], 2) == pytest.approx(0.25)


def test_ece_classwise_by_hand():
    probabilities, labels = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]]), np.array([0, 1, 1])
    # two bins. class 0: (0.5, 1] has 1 label and 1.7 promised, (0, 0.5] 0 and 0.3; class 1 mirrors it
    first = (abs(1 - 1.7) + abs(0 - 0.3)) / 3
    second = (abs(1 - 0.3) + abs(1 - 0.7)) / 3
    assert metrics.ece_classwise(probabilities, labels, 2) == pytest.approx((first + second) / 2)


def test_ece_classwise_of_many_classes_is_the_mean_over_classes():
    generator = np.random.default_rng(1)
    probabilities, labels = generator.dirichlet(np.full(40, 0.1), 300), generator.integers(0, 40, 300)
    each = [metrics.ece(probabilities[:, k], labels == k, 15) for k in range(40)]
    assert metrics.ece_classwise(probabilities, labels, 15) == pytest.approx(np.mean(each), rel=1e-12)
    parts = sum(metrics.class_gaps(probabilities[i::2], labels[i::2], 15) for i in (0, 1))
    assert parts == pytest.approx(metrics.class_gaps(probabilities, labels, 15))


def test_brier_and_nll_by_hand():
    probabilities, labels = np.array([[0.7, 0.2, 0.1], [0.0, 0.0, 1.0]]), np.array([0, 1])
    errors = metrics.squared_error(probabilities, labels)
    assert errors == pytest.approx([0.3**2 + 0.2**2 + 0.1**2, 0 + 1 + 1])
    assert metrics.brier(errors) == pytest.approx((0.14 + 2) / 2)
    assert metrics.nll(np.log([0.5, 0.25])) == pytest.approx((np.log(2) + np.log(4)) / 2)


# ---- resamples ----


def drawn_out(values, weights):
    return [np.repeat(values, counts, axis=-1) for counts in weights]


@pytest.mark.parametrize("accuracy", [0, 0.5, 0.97, 1])
@pytest.mark.parametrize("levels", [1, 6, 10**6])
def test_resampled_rankings_equal_rankings_of_the_resamples(accuracy, levels):
    generator = np.random.default_rng(2)
    confidence, correct = generator.integers(0, levels, 60).astype(float), generator.random(60) < accuracy
    weights = np.concatenate(list(resample_weights(60, 50, generator)))
    resampled = rank(confidence, correct).resampled(weights)
    pairs = list(zip(drawn_out(confidence, weights), drawn_out(correct, weights), strict=True))
    for name in RANKED:
        if not metric(name).resampled:
            continue
        expected = [value_of(name, *pair) for pair in pairs]
        expected = np.array([np.nan if value is None else value for value in expected])
        assert metric(name).function(resampled) == pytest.approx(expected, abs=1e-12, nan_ok=True), name
    assert metrics.accuracy(resampled) == pytest.approx([pair[1].mean() for pair in pairs])


def test_resampled_calibration_equals_that_of_the_resamples():
    generator = np.random.default_rng(3)
    top, correct, losses = generator.integers(1, 31, 60) / 30, generator.random(60) < 0.8, generator.random(60)
    weights = np.concatenate(list(resample_weights(60, 50, generator)))
    sample = Calibration(top, correct, -losses, losses, np.zeros((3, 15))).resampled(weights)
    rows = list(zip(*(drawn_out(values, weights) for values in (top, correct, losses)), strict=True))
    assert METRICS["ece"].function(sample) == pytest.approx([metrics.ece(t, c, 15) for t, c, _ in rows], abs=1e-13)
    assert METRICS["nll"].function(sample) == pytest.approx([loss.mean() for _, _, loss in rows], abs=1e-13)
    assert METRICS["brier"].function(sample) == pytest.approx([loss.mean() for _, _, loss in rows], abs=1e-13)


def test_weights_of_one_are_the_sample_itself():
    generator = np.random.default_rng(4)
    ranking = rank(generator.integers(0, 9, 50), generator.random(50) < 0.7)
    again = ranking.resampled(np.ones((2, 50), dtype=np.uint8))
    for name in ("auroc", "aurc", "e-aurc", "naurc", "augrc", "coverage-at-sac-90", "risk-at-coverage-80"):
        assert metric(name).function(again) == pytest.approx([value_of(name, ranking)] * 2, abs=1e-13)


# ---- names ----


def test_direction():
    higher = ["accuracy", "auroc", "coverage-at-sac-99.5", "coverage-at-sac-90", "ood-auroc", "ood-aupr-in"]
    lower = ["aurc", "e-aurc", "naurc", "augrc", "risk-at-coverage-80", "ece", "ece-classwise", "nll", "ood-fpr95"]
    assert [metrics.direction(name) for name in higher] == [1] * len(higher)
    assert [metrics.direction(name) for name in lower] == [-1] * len(lower)


@pytest.mark.parametrize("name", ["auprc", "coverage-at-sac", "coverage-at-sac-x", "risk-at-coverage-101", "ece-15"])
def test_a_name_that_is_no_metric_is_answered_with_the_choices(name):
    with pytest.raises(UserError, match=f"'{name}' is not a metric; metrics: accuracy, auroc, .*risk-at-coverage-P"):
        metrics.direction(name)
