"""Claims of several comparisons: what holds on some data sets, what is negligible, and what each comparison shows."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import t as student

from selfdoubt.evaluation.claims import Component, together
from selfdoubt.evaluation.comparisons import Compared
from selfdoubt.evaluation.contrast_rows import rows_of
from selfdoubt.evaluation.contrasts import Contrast
from selfdoubt.evaluation.hypotheses import decide
from selfdoubt.evaluation.power import n_for_difference, n_for_equivalence
from selfdoubt.evaluation.verdicts import LEAST_REPLICATES

SPREAD = np.array([-0.2, -0.1, 0.0, 0.1, 0.2])


def component(difference: float, spread: np.ndarray = SPREAD) -> Component:
    """A comparison by the AURC of five replicates, whose margin is 1."""
    found = Contrast(tuple((difference + spread).tolist()), 0.0, 0.0, 10**6)
    compared = Compared(5, found, found.difference, 1.0)
    return Component("d", "kd", "ce", ("aurc", "msp", "test"), compared, 1.0, (None, None))


def test_a_claim_on_some_data_sets_is_negligible_where_too_few_are_left_on_which_it_could_matter():
    groups = [[component(difference)] for difference in (-5.0, 0.0, 0.0)]
    within = student.sf(1 / (SPREAD.std(ddof=1) / 5**0.5), 4)  # of a difference of 0
    on_two, on_one, on_all = (together(groups, n) for n in (2, 1, 3))
    assert on_two.negligible == pytest.approx(2 * within) and on_two.negligible < 0.05 < on_two.supporting
    assert on_one.supporting < 0.05 < on_one.negligible  # three would have to be within the margin
    assert on_all.negligible == pytest.approx(3 * within)  # one that is within is enough


def test_of_several_comparisons_on_a_data_set_each_must_be_within_the_margin():
    groups = [[component(0.0), component(difference)] for difference in (-5.0, 0.0, 0.0)]
    assert together(groups, 2).negligible < 0.05
    groups[1][0] = component(-5.0)
    assert together(groups, 2).negligible > 0.05


def decided(differences: list[float], on_at_least: int | None, n_secondary: int = 1, spread=SPREAD, warned="") -> dict:
    """The tables of claims on data sets a, b, c and so on, one difference on each, or all of them on a."""
    datasets = list("abcd")[: len(differences)] if on_at_least else ["a"]
    names = [f"claim-{i}" for i in range(n_secondary)]
    known = {"study": "s", "role": "secondary", "units": "replicates", "datasets": None, "registered": True}
    known |= {"pairs": [["kd", "ce"]], "on_at_least": on_at_least, "statement": "Better."}
    known |= {"metric": "aurc", "score": "msp", "split": "test"}
    claims = [SimpleNamespace(name=name, **known) for name in names]
    study = SimpleNamespace(name="s", alpha=0.05)
    settings = {"datasets": datasets, "studies": [study], "claims": claims, "pretrained": [], "upper_bounds": []}
    places = zip(datasets if on_at_least else ["a"] * len(differences), differences, strict=True)
    made = [
        replace(component(difference, spread), dataset=dataset, warning="few images" if dataset in warned else None)
        for dataset, difference in places
    ]
    contrasts = [row for name in names for each in made for row in rows_of(each, "s", name)]
    return decide(contrasts, SimpleNamespace(**settings))


def test_each_comparison_has_its_margin_its_interval_and_the_replicates_that_it_needs():
    """Of two claims on at least two of four data sets, tested at .025: 3 times the p of a difference, 2 of 0."""
    tables = decided([-0.2, -0.05, -0.3, 0.1], on_at_least=2, n_secondary=2, spread=3 * SPREAD)
    (verdict, _), rows = tables["hypotheses"], tables["comparisons"][:4]
    assert verdict["verdict"] == "negligible" and verdict["n_replicates_negligible"] is None
    for row, difference in zip(rows, (-0.2, -0.05, -0.3, 0.1), strict=True):
        found = component(difference, 3 * SPREAD).compared.contrast
        assert row["margin"] == 1 and (row["low_family"], row["high_family"]) == found.interval(1 - verdict["level"])
        assert row["n_replicates_negligible"] == n_for_equivalence(found, 1.0, 0.025 / 2) > LEAST_REPLICATES
        assert row["n_replicates_needed"] is None  # it is decided


def test_of_an_open_claim_each_comparison_has_the_replicates_that_find_it():
    differences = (-0.9, -0.1, -0.1, 0.95)
    tables = decided([*differences], on_at_least=2, n_secondary=2)
    assert tables["hypotheses"][0]["verdict"] == "inconclusive"
    needed = [n_for_difference(component(each).compared.contrast, 0.025 / 3) for each in differences]
    assert [row["n_replicates_needed"] for row in tables["comparisons"][:4]] == needed
    both = decided([-0.9, -0.1], on_at_least=None)  # each of two: the largest p, as it is
    assert [row["n_replicates_needed"] for row in both["comparisons"]] == [
        n_for_difference(component(each).compared.contrast, 0.05) for each in (-0.9, -0.1)
    ]


def test_a_warning_is_about_the_data_set_of_its_comparison():
    both = [decided([-1.0, -1.0], on_at_least=n, warned=warned) for n, warned in ((2, "b"), (None, "a"), (2, ""))]
    warnings = [tables["hypotheses"][0]["warning"] for tables in both]
    assert warnings == ["few images (on b)", "few images", None]
