"""What benchmarks/levels.py works out of a spread: as many replicates as the simulated studies need."""

import sys

import numpy as np
import pytest
from copies import ROOT

sys.path.append(str(ROOT / "benchmarks"))

import levels

AUROC = levels.Spread(2.78, 4.64, 0.04, 5.0, 1500, "auroc")
IMAGES_ALONE = levels.Spread(0.0, 2.18, 0.0, 3.0, 1500, "accuracy")


def test_the_images_own_error_of_each_replicate_is_in_the_variance_over_replicates():
    """By hand: 3² + (1 - .25) 4² = 21."""
    spread = levels.Spread(3.0, 4.0, 0.25, 5.0, 1500)
    found = levels.expected(spread)
    assert found.parts(1)[0] == pytest.approx(21) and found.difference == -5
    draws = np.random.default_rng(0)
    simulated = [levels.study(draws, 10, -1.0, spread).parts(1)[0] for _ in range(2000)]
    assert np.mean(simulated) == pytest.approx(21, rel=0.03)


@pytest.mark.parametrize("spread", [AUROC, IMAGES_ALONE])
def test_simulated_studies_of_as_many_replicates_as_needed_have_the_power(spread):
    n, draws = levels.n_for_difference(levels.expected(spread), 0.05), np.random.default_rng(1)
    verdicts = [levels.decided(levels.study(draws, n, -1.0, spread), 0.05, spread.margin) for _ in range(2000)]
    assert 0.76 < np.mean(verdicts, axis=0)[0] < 0.9


def test_the_replicates_needed_are_printed_alone(capsys):
    levels.main(["needed"])
    assert [line for line in capsys.readouterr().out.splitlines() if line.startswith("family")] == [
        "family of 1: 9, 9",
        "family of 6: 14, 15",
    ]


def test_the_level_in_a_family_holds_where_images_add_nothing(monkeypatch):
    """There t has n - 1 degrees of freedom, and so its level exactly; with the pilots' images it has not."""
    monkeypatch.setattr(levels, "N_OF_LEVELS", 4000)
    monkeypatch.setattr(levels, "SIZES_OF_LEVELS", (5,))
    of_replicates = levels.levels_of_families(levels.Spread(2.4, 1e-6, 0.0, 2.8, 1500))[5]
    assert of_replicates == pytest.approx([0.05, 0.05 / 6, 0.05 / 17], abs=0.004)
    assert levels.levels_of_families(levels.PILOTS)[5][2] > 1.5 * 0.05 / 17
