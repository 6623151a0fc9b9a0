"""Ranking metrics against sums by hand, against the average over all orders of ties, and against scikit-learn."""

import runpy
from itertools import combinations, pairwise, product
from pathlib import Path

import numpy as np
import pytest
from helpers import drawn_out
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from selfdoubt.evaluation import rankings
from selfdoubt.evaluation.bootstrap import resample_weights
from selfdoubt.evaluation.metrics import function_of
from selfdoubt.evaluation.rankings import rank
from selfdoubt.evaluation.undefined import Undefined

repeatable = settings(deadline=None, derandomize=True, database=None, max_examples=50)
samples = st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=1, max_size=40).map(
    lambda pairs: (np.array([c for c, _ in pairs], dtype=float), np.array([right for _, right in pairs]))
)
RANKED = ["auroc", "aurc", "e-aurc", "naurc", "augrc", "coverage-at-sac-90", "coverage-at-sac-50"]
RANKED += ["risk-at-coverage-50", "risk-at-coverage-70", "ood-auroc", "ood-aupr-in", "ood-aupr-out", "ood-fpr95"]


AVERAGED = ["aurc", "e-aurc", "augrc", "risk-at-coverage-50", "risk-at-coverage-70", "auroc", "naurc", "accuracy"]
OF_THRESHOLDS = ["coverage-at-sac-50", "coverage-at-sac-90", "ood-aupr-in", "ood-aupr-out", "ood-fpr95"]


def value_of(name, *arguments):
    """The metric, or None if it does not exist."""
    try:
        function = function_of(name)
        return float(function(*arguments))
    except Undefined:
        return None


def in_one_order(errors):
    """Every ranking metric of errors (0 or 1) without ties, the most confident first, from its textbook sum."""
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
        "accuracy": 1 - total / n,
    }
    if 0 < total < n:
        won = sum(1 for a, b in combinations(errors, 2) if a == 0 and b == 1)
        values["auroc"] = won / (total * (n - total))
        values["naurc"] = (sum(risk) - sum(best)) / (total - sum(best))
    return values


def averaged(orders):
    """The mean of every metric over orders; of a ratio of sums, that is of both sums, of equal denominators."""
    return {name: sum(order[name] for order in orders) / len(orders) for name in orders[0]}


def compositions(n):
    """All sizes of tie blocks of n samples, the most confident block first."""
    if n == 0:
        yield ()
    for first in range(1, n + 1):
        for rest in compositions(n - first):
            yield (first, *rest)


def sample_of(sizes, wrong):
    """Confidence and correctness of tie blocks of so many samples and errors, the most confident first."""
    correct = np.concatenate([np.arange(s) >= w for s, w in zip(sizes, wrong, strict=True)])
    return np.repeat(np.arange(len(sizes), 0, -1.0), sizes), correct


def same(value, expected):
    return value is expected is None or abs(value - expected) < 1e-13


def block_orders(n_right, n_wrong):
    """The orders of a tie block that look different: where its errors are. All are equally likely."""
    places = combinations(range(n_right + n_wrong), n_wrong)
    return [tuple(int(i in chosen) for i in range(n_right + n_wrong)) for chosen in places]


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6, 7])
def test_all_samples_of_up_to_seven_are_the_average_over_the_orders_of_their_ties(n):
    """Every tie pattern, with every number of errors in each tie block."""
    known = {}
    for sizes in compositions(n):
        for wrong in product(*(range(size + 1) for size in sizes)):
            orders = [
                sum(parts, ())
                for parts in product(*(block_orders(s - w, w) for s, w in zip(sizes, wrong, strict=True)))
            ]
            for order in orders:
                known.setdefault(order, in_one_order(order))
            expected = averaged([known[order] for order in orders])
            ranking = rank(*sample_of(sizes, wrong))
            for name in AVERAGED:
                assert same(value_of(name, ranking), expected.get(name)), (name, sizes, wrong)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_all_thresholds_of_up_to_five_are_tried_whole(n):
    """Metrics of thresholds, which tie blocks enter whole, against a loop over all of them."""
    for sizes in compositions(n):
        for wrong in product(*(range(size + 1) for size in sizes)):
            ranking, expected = rank(*sample_of(sizes, wrong)), by_thresholds(*sample_of(sizes, wrong))
            for name in OF_THRESHOLDS:
                assert same(value_of(name, ranking), expected[name]), (name, sizes, wrong)


def by_thresholds(confidence, inside):
    """Metrics of thresholds by their definitions; the incorrect samples are those out of distribution."""
    n_in, n_out = inside.sum(), (~inside).sum()
    values = dict.fromkeys(OF_THRESHOLDS)
    accepted = [confidence >= threshold for threshold in sorted(set(confidence), reverse=True)]
    for percent in (50, 90):
        good = [each.mean() for each in accepted if 100 * inside[each].sum() >= percent * each.sum()]
        values[f"coverage-at-sac-{percent}"] = max(good, default=0)
    if n_in and n_out:
        recalls = [inside[each].sum() / n_in for each in accepted]
        precisions = [inside[each].mean() for each in accepted]
        values["ood-aupr-in"] = sum(p * (r - q) for p, r, q in zip(precisions, recalls, [0, *recalls], strict=False))
        rejected = [confidence <= threshold for threshold in sorted(set(confidence))]
        recalls = [(~inside)[each].sum() / n_out for each in rejected]
        precisions = [(~inside)[each].mean() for each in rejected]
        values["ood-aupr-out"] = sum(p * (r - q) for p, r, q in zip(precisions, recalls, [0, *recalls], strict=False))
        keeping = [each for each in accepted if 20 * inside[each].sum() >= 19 * n_in]
        values["ood-fpr95"] = (~inside)[keeping[0]].sum() / n_out
    return values


def test_aurc_with_one_error_ranked_second():
    confidence, correct = [0.9, 0.8, 0.1], [True, False, True]
    assert rankings.aurc(confidence, correct) == pytest.approx((0 / 1 + 1 / 2 + 1 / 3) / 3)
    assert rankings.e_aurc(confidence, correct) == pytest.approx((1 / 2 + 1 / 3) / 3 - (1 / 3) / 3)
    assert rankings.naurc(confidence, correct) == pytest.approx((1 / 2 / 3) / (1 / 3 - 1 / 9))
    assert rankings.auroc(confidence, correct) == pytest.approx(1 / 2)
    assert rankings.augrc(confidence, correct) == pytest.approx((0 + 0.5 + 1) / 3 / 3)  # E/n at mid-steps: 0, 1/6, 1/3


def test_ties_of_a_long_ranking():
    generator = np.random.default_rng(0)
    confidence, correct = generator.integers(0, 300, 5000).astype(float), generator.random(5000) < 0.8
    ends = [(confidence >= level).sum() for level in np.unique(confidence)[::-1]]
    errors = [(~correct[confidence >= level]).sum() for level in np.unique(confidence)[::-1]]
    expected = np.interp(np.arange(1, 5001), [0, *ends], [0, *errors]) / np.arange(1, 5001)
    assert rankings.aurc(confidence, correct) == pytest.approx(expected.mean(), rel=1e-12)
    coverage, risk = rankings.risk_coverage_curve(confidence, correct)
    assert risk == pytest.approx(expected, rel=1e-12)
    assert coverage == pytest.approx(np.arange(1, 5001) / 5000)
    assert rankings.auroc(confidence, correct) == pytest.approx(roc_auc_score(correct, confidence), rel=1e-12)


@settings(repeatable)
@given(samples)
def test_augrc_is_its_identity_in_auroc_and_accuracy(sample):
    a, auroc = rankings.accuracy(sample[1]), value_of("auroc", *sample)
    expected = (1 - (auroc or 0)) * a * (1 - a) + (1 - a) ** 2 / 2
    assert rankings.augrc(*sample) == pytest.approx(expected, abs=1e-13)


@settings(repeatable)
@given(samples.filter(lambda sample: 0 < sample[1].sum() < len(sample[1])))
def test_scikit_learn_agrees(sample):
    confidence, inside = sample
    assert rankings.auroc(*sample) == pytest.approx(roc_auc_score(inside, confidence))
    assert rankings.aupr_in(*sample) == pytest.approx(average_precision_score(inside, confidence))
    assert rankings.aupr_out(*sample) == pytest.approx(average_precision_score(~inside, -confidence))
    false, true, _ = roc_curve(inside, confidence, drop_intermediate=False)
    assert rankings.fpr95(*sample) == pytest.approx(false[true >= 0.95][0])


def test_fpr95_keeps_the_threshold_at_which_exactly_95_percent_stay():
    inside = np.arange(22) != 19  # 19 ID samples, an OOD one, 2 more ID ones
    confidence = np.arange(22, 0, -1)
    assert rankings.fpr95(confidence[:21], inside[:21]) == 0  # 19 of 20 are above it
    assert rankings.fpr95(confidence, inside) == 1  # 19 of 21 are too few


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
    for metric_of_both in (rankings.auroc, rankings.naurc):
        with pytest.raises(Undefined, match="no incorrect samples"):
            metric_of_both(confidence, every)
        with pytest.raises(Undefined, match="no correct samples"):
            metric_of_both(confidence, none)


def test_one_sample_and_none():
    assert [value_of(name, [0.3], [False]) for name in ("aurc", "e-aurc", "augrc", "auroc")] == [1, 0, 0.5, None]
    with pytest.raises(Undefined, match="no samples"):
        rankings.aurc([], [])


def test_infinite_confidence_ranks_and_nan_does_not():
    assert rankings.auroc([np.inf, 0.0, -np.inf], [True, True, False]) == 1
    with pytest.raises(Undefined, match="row 1 "):
        rank([0.5, np.nan], [True, False])


# ---- resamples ----


def weights_of(n, n_resamples):
    return np.concatenate([draw() for draw in resample_weights(n, n_resamples, "a test")])


@pytest.mark.parametrize("accuracy", [0, 0.5, 0.97, 1])
@pytest.mark.parametrize("levels", [1, 6, 10**6])
def test_resampled_rankings_equal_rankings_of_the_resamples(accuracy, levels):
    generator = np.random.default_rng(2)
    confidence, correct = generator.integers(0, levels, 60).astype(float), generator.random(60) < accuracy
    weights = weights_of(60, 50)
    resampled = rank(confidence, correct).resampled(weights)
    pairs = list(zip(drawn_out(confidence, weights), drawn_out(correct, weights), strict=True))
    for name in RANKED:
        expected = [value_of(name, *pair) for pair in pairs]
        expected = np.array([np.nan if value is None else value for value in expected])
        assert function_of(name)(resampled) == pytest.approx(expected, abs=1e-12, nan_ok=True), name
    assert rankings.accuracy(resampled) == pytest.approx([pair[1].mean() for pair in pairs])


def test_the_worked_example_of_the_documentation():
    folder = Path(__file__).resolve().parents[2] / "docs"
    example = runpy.run_path(str(folder / "risk_coverage_example.py"))
    ranking, text = rank(example["CONFIDENCE"], example["CORRECT"]), (folder / "metrics.md").read_text()
    for name, printed in {
        "aurc": "0.153",
        "e-aurc": "0.088",
        "naurc": "0.376",
        "auroc": "0.762",
        "augrc": "0.095",
    }.items():
        assert f"{value_of(name, ranking):.3f}" == printed and printed in text, name
    assert value_of("coverage-at-sac-90", ranking) == 0.3 and value_of("risk-at-coverage-80", ranking) == 0.25
