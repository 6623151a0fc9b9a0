"""Calibration errors and proper scores by hand."""

import numpy as np
import pytest
from helpers import drawn_out

from selfdoubt.evaluation import calibration
from selfdoubt.evaluation.bootstrap import resample_weights
from selfdoubt.evaluation.calibration import Calibration, ClassGaps
from selfdoubt.evaluation.metrics import function_of
from selfdoubt.evaluation.softmax import Softmax
from selfdoubt.evaluation.undefined import Undefined

# ---- calibration ----


def test_ece_and_mce_by_hand():
    top, correct = np.array([0.95, 0.99, 0.55, 0.6]), np.array([True, False, True, True])
    # bins of width 1/5: (0.8, 1] has accuracy 1/2 and confidence 0.97; (0.4, 0.6] has 1 and 0.575
    assert calibration.ece(top, correct, 5) == pytest.approx(2 / 4 * 0.47 + 2 / 4 * 0.425)
    assert calibration.mce(top, correct, 5) == pytest.approx(0.47)


def test_bins_are_open_below_and_closed_above():
    edges = np.arange(16) / 15
    confidence, accuracy, fraction = calibration.reliability_bins(edges, np.arange(16) % 2 == 0, 15)
    assert confidence == pytest.approx([edges[:2].mean(), *edges[2:]])  # 0 falls in the first bin
    assert accuracy == pytest.approx([0.5, *[1.0, 0.0] * 7])
    assert fraction == pytest.approx([2 / 16] + [1 / 16] * 14)
    assert np.isnan(calibration.reliability_bins([0.9], [True], 2)[0][0])  # an empty bin


def test_ece_adaptive_by_hand():
    top, correct = np.array([0.5, 0.6, 0.7, 0.8, 0.9]), np.array([True, False, True, True, True])
    # array_split of five in two: 0.5, 0.6, 0.7 with 2 of 3 correct, then 0.8, 0.9 with 2 of 2
    assert calibration.ece_adaptive(top, correct, 2) == pytest.approx(abs(2 - 1.8) / 5 + abs(2 - 1.7) / 5)
    assert calibration.ece_adaptive(top, correct, 15) == pytest.approx((0.5 + 0.6 + 0.3 + 0.2 + 0.1) / 5)


def test_ece_adaptive_spreads_a_tie_block_over_its_bins():
    top, correct = np.full(4, 0.75), np.array([True, True, False, False])
    assert calibration.ece_adaptive(top, correct, 2) == pytest.approx(0.25)  # 1 of 2 correct in each bin
    assert calibration.ece_adaptive(top, correct[::-1], 2) == pytest.approx(0.25)


def test_ece_classwise_by_hand():
    probabilities, labels = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]]), np.array([0, 1, 1])
    # two bins. class 0: (0.5, 1] has 1 label and 1.7 promised, (0, 0.5] 0 and 0.3; class 1 mirrors it
    first = (abs(1 - 1.7) + abs(0 - 0.3)) / 3
    second = (abs(1 - 0.3) + abs(1 - 0.7)) / 3
    assert calibration.ece_classwise(probabilities, labels, 2) == pytest.approx((first + second) / 2)


def test_brier_and_nll_by_hand():
    probabilities, labels = np.array([[0.7, 0.2, 0.1], [0.0, 0.0, 1.0]]), np.array([0, 1])
    with np.errstate(divide="ignore"):
        logits = np.maximum(np.log(probabilities), -800)
    errors = Softmax(logits).squared_error(labels)
    assert errors == pytest.approx([0.3**2 + 0.2**2 + 0.1**2, 0 + 1 + 1])
    assert calibration.brier(errors) == pytest.approx((0.14 + 2) / 2)
    assert calibration.nll(np.log([0.5, 0.25])) == pytest.approx((np.log(2) + np.log(4)) / 2)


# ---- resamples ----


def test_resampled_calibration_equals_that_of_the_resamples():
    generator = np.random.default_rng(3)
    top, correct, losses = generator.integers(1, 31, 60) / 30, generator.random(60) < 0.8, generator.random(60)
    weights = np.concatenate([draw() for draw in resample_weights(60, 50, "a test")])
    sample = Calibration(top, correct, -losses, losses, ClassGaps(3, 15), 15).resampled(weights)
    rows = list(zip(*(drawn_out(values, weights) for values in (top, correct, losses)), strict=True))
    for name, function in (
        ("ece", calibration.ece),
        ("mce", calibration.mce),
        ("ece-adaptive", calibration.ece_adaptive),
    ):
        expected = [function(t, c, 15) for t, c, _ in rows]
        assert function_of(name)(sample) == pytest.approx(expected, abs=1e-13), name
    assert function_of("nll")(sample) == pytest.approx([loss.mean() for _, _, loss in rows], abs=1e-13)
    assert function_of("brier")(sample) == pytest.approx([loss.mean() for _, _, loss in rows], abs=1e-13)


def test_nothing_is_calibrated_without_samples():
    nothing = np.array([])
    for function in (calibration.ece, calibration.mce, calibration.ece_adaptive):
        with pytest.raises(Undefined, match="no samples"):
            function(nothing, nothing, 15)
    for function in (calibration.nll, calibration.brier):
        with pytest.raises(Undefined, match="no samples"):
            function(nothing)
    with pytest.raises(Undefined, match="no samples"):
        calibration.ece_classwise(np.empty((0, 3)), np.empty(0, dtype=int))
