"""Masks against a centred box and against pseudo-masks: one difference a replicate, and verdicts as of any claim."""

from types import SimpleNamespace

import pytest

from selfdoubt.evaluation.hypotheses import decide
from selfdoubt.evaluation.mask_checks import compare_masks


def quality(iou: float | None, box: float | None, error: float | None, pseudo=(0.1, 0.1, 0.1)) -> list[dict]:
    names = ("iou", "centred-box-iou", "iou-above-box-error")
    found = [("pseudo-mask", *row) for row in zip(names, pseudo, strict=True)]
    found += [("mask", *row) for row in zip(names, (iou, box, error), strict=True)]
    known = [{"stage": stage, "statistic": name, "value": value, "n": 400} for stage, name, value in found]
    return [row | {"reason": None if row["value"] is not None else "no images"} for row in known]


def check(n: int, **changes) -> SimpleNamespace:
    known = {"name": "masks", "study": "a", "role": "check", "registered": True, "units": "replicates"}
    known |= {"statement": "So.", "on_at_least": None, "pairs": [["unet", "centred-box"]], "dataset": "toys"}
    return SimpleNamespace(**known | {"margin": None, "disjoint": True, "n_replicates": n} | changes)


def row_of(tables: list, overlap: float = 0.0, **changes) -> dict:
    studies = [SimpleNamespace(name="a", reference="ce", arms=[], alpha=0.05, replicates=[1])]
    settings = SimpleNamespace(mask_checks=[check(len(tables), **changes)], datasets=["toys"])
    others = SimpleNamespace(arms=[], claims=[], comparisons=[], studies=studies, pretrained=[], upper_bounds=[])
    settings = SimpleNamespace(**vars(settings) | vars(others) | {"overlap": overlap})
    found = decide(compare_masks(tables, settings), settings)
    (row,), (compared,) = found["hypotheses"], found["comparisons"]
    assert compared["hypothesis"] == "masks" and compared["difference"] == row["difference"]
    return row


GAINS = (0.30, 0.28, 0.31, 0.29, 0.32)
BETTER = [quality(0.4 + gain, 0.4, 0.001) for gain in GAINS]
UNKNOWN, EQUAL = [quality(None, None, None)] * 5, [quality(0.7, 0.4, 0.0)] * 5


def test_masks_beyond_the_box_are_supported_by_hand():
    row = row_of(BETTER)
    assert row["difference"] == pytest.approx(0.30) and row["verdict"] == "supported" and row["margin"] == 0.01
    # standard deviation .0158 of five: .0158 / 5**.5 = .00707; t of 4 degrees of freedom at 97.5 % is 2.776
    assert row["low"] == pytest.approx(0.30 - 2.776 * 0.00707, abs=1e-4)


def test_masks_that_are_worse_are_refuted_and_as_good_ones_negligible():
    assert row_of([quality(0.4, 0.4 + gain, 0.001) for gain in GAINS])["verdict"] == "refuted"
    near = [quality(0.4 + gain, 0.4, 0.001) for gain in (0.001, -0.001, 0.002, -0.002, 0.0)]
    assert row_of(near)["verdict"] == "negligible"
    assert row_of(near, margin=0.001)["verdict"] == "inconclusive"


def test_the_images_are_a_floor_and_where_shared_an_additional_part():
    equal = [quality(0.7, 0.4, 0.02)] * 5
    assert row_of(equal)["standard_error"] == pytest.approx(0.02 / 5**0.5)
    assert row_of(equal, disjoint=False)["standard_error"] == pytest.approx(0.02)
    assert row_of(BETTER, 0.2)["standard_error"] > row_of(BETTER)["standard_error"]


def test_pseudo_masks_take_the_place_of_the_box_by_hand():
    tables = [quality(0.5 + gain, 0.9, 0.006, (0.5, 0.9, 0.004)) for gain in GAINS]  # the box is above all of them
    pseudo = {"pairs": [["unet", "pseudo-masks"]]}
    assert row_of(tables)["verdict"] == "refuted"
    row = row_of(tables, **pseudo)
    assert row["verdict"] == "supported" and row["than"] == "pseudo-masks"
    assert row["difference"] == pytest.approx(0.30) and row["standard_error"] == pytest.approx(0.00707, abs=1e-5)
    # a deviation of a difference is at most the sum of the two: .006 + .004, which all replicates share
    assert row_of(tables[:1] * 5, disjoint=False, **pseudo)["standard_error"] == pytest.approx(0.01)
    assert row_of([quality(0.8, 0.4, 0.01, (None,) * 3)] * 5, **pseudo)["verdict"] == "inconclusive"


@pytest.mark.parametrize("tables", [BETTER[:4], BETTER[:1], UNKNOWN, EQUAL])
def test_what_decides_nothing_is_inconclusive(tables):
    assert row_of(tables)["verdict"] == "inconclusive"


def test_without_checks_nothing_is_read():
    assert compare_masks([], SimpleNamespace(overlap=0.0)) == []
