"""Verdicts in words: their sentences, their differences in short, and what speaks against a study."""

import pytest
from small_report import COMPARISON, HYPOTHESIS, METRICS, frame

from selfdoubt.figures.points import with_arms
from selfdoubt.report.numbers import numbers_of
from selfdoubt.report.verdict_texts import failed_checks, verdicts_of
from selfdoubt.runtime.schemas.comparisons import IDENTICAL, UNDISTINGUISHED


def sentence(**changes) -> str:
    hypotheses = frame("hypotheses", [HYPOTHESIS | changes])
    [verdict] = verdicts_of(
        hypotheses, frame("comparisons", []), numbers_of(with_arms(frame("metrics", METRICS))), "distillation"
    )
    return verdict.sentence.replace("\u00a0", " ")


def test_a_sentence_has_effect_interval_replicates_and_p():
    found = sentence()
    for part in (
        "AURC of kd",
        "4.00×10⁻³ lower",
        "of ce",
        "on test",
        "msp",
        "kd 16.00 ± 0.00, ce 20.00 ± 0.00",
        "−6.00 to +1.00×10⁻³",
        "3 replicates",
        "−1.50",
        "p = 0.08",
    ):
        assert part in found
    assert "12 replicates" in found  # needed


def test_a_difference_of_fractions_is_in_percentage_points():
    found = sentence(metric="accuracy", score="none", difference=0.04, low=0.01, high=0.07, verdict="supported")
    assert "Accuracy of kd" in found and "4.00 percentage points higher" in found and "kd 0.9600 ± 0.0100" in found
    assert "+1.00 to +7.00 points" in found and "; 3 replicates" in found and "12" not in found


def test_a_difference_below_the_last_digit_is_not_shown_as_zero():
    assert "less than 0.01×10⁻³ lower" in sentence(difference=-1e-7)


def test_a_difference_that_does_not_exist_has_its_reason():
    found = sentence(metric="auroc", difference=None, low=None, high=None, p=None, p_holm=None)
    assert "AUROC" in found and "does not exist" in found and "kd: no errors" in found


def test_arms_that_no_image_distinguishes_are_not_called_identical():
    known = {"difference": 0.0, "low": None, "high": None, "p": None, "p_holm": None, "reason": UNDISTINGUISHED}
    found = sentence(**known)
    assert "AURC of kd equals that of ce" in found and "no image distinguishes them" in found
    assert "not compared" in sentence(**known | {"reason": IDENTICAL, "verdict": "identical"})


CERTAIN = {"low": -0.004, "high": -0.001, "verdict": "supported"}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (CERTAIN, {"30 replicates"}),
        (CERTAIN | {"n_replicates_negligible": None}, {"is not known"}),
        ({}, {"Fewer than five", "12 replicates", "30 replicates"}),
        ({"n_replicates": 6}, {"12 replicates", "30 replicates"}),
        ({"n_replicates": 6, "n_replicates_needed": None}, {"cannot be estimated", "30 replicates"}),
        (CERTAIN | {"n_replicates": 1}, {"these two checkpoints"}),
        (CERTAIN | {"n_replicates": 1, "verdict": "inconclusive"}, {"One replicate"}),
    ],
)
def test_what_is_open_is_stated_and_nothing_else(row, expected):
    parts = {"cannot be estimated", "is not known", "Fewer than five", "12 replicates", "30 replicates"}
    parts |= {"these two checkpoints", "One replicate"}
    assert {each for each in parts if each in sentence(**row)} == expected


def verdict_of(members: list[dict], **changes):
    comparisons = frame("comparisons", [COMPARISON | {"hypothesis": "kd-ranks-better"} | each for each in members])
    hypotheses = frame("hypotheses", [HYPOTHESIS | changes])
    [found] = verdicts_of(hypotheses, comparisons, numbers_of(with_arms(frame("metrics", METRICS))), "distillation")
    return found


def test_other_scores_and_what_must_be_kept_stand_beside_a_claim():
    accuracy = {"metric": "accuracy", "score": "none", "difference": -0.001, "low": -0.002, "high": 0.001}
    found = verdict_of([{}, {"score": "msp-ts", "repeats": True, "difference": -0.001}, accuracy])
    kept, other = found.further
    assert kept.startswith("Accuracy differs by −0.10 (−0.20 to +0.10") and "msp-ts −1.00" in other
    found = verdict_of([{}, {"than": "teacher"}, accuracy, accuracy | {"than": "teacher"}], n_components=2)
    assert [text.partition(" by −0.10")[0] for text in found.further[2:]] == [
        "Accuracy of kd differs from that of ce",
        "Accuracy of kd differs from that of teacher",
    ]


def test_a_compound_claim_shows_each_of_its_comparisons():
    found = verdict_of([{}, {"than": "teacher"}], n_components=2, than="ce, teacher")
    assert "each of 2 comparisons" in found.sentence and len(found.further) == 2
    found = verdict_of(
        [{}, {"dataset": "games"}], n_components=2, dataset="toys, games", on_at_least=1, verdict="supported"
    )
    assert "at least 1 of 2 data sets" in found.sentence and len(found.further) == 2
    known = {"n_components": 3, "dataset": "toys, games, cars", "on_at_least": 1, "verdict": "negligible"}
    assert "within the margin on each of 3 data sets" in verdict_of([{}], **known).sentence


@pytest.mark.parametrize(
    ("n", "verdict", "named"), [(3, "inconclusive", True), (5, "inconclusive", False), (3, "supported", False)]
)
def test_a_compound_claim_of_few_replicates_is_open_whatever_p_is(n, verdict, named):
    found = verdict_of([{}, {"than": "teacher"}], n_components=2, than="ce, teacher", n_replicates=n, verdict=verdict)
    assert ("Fewer than five" in found.sentence) == named


def test_each_comparison_of_a_compound_claim_has_its_margin_and_the_replicates_that_it_needs():
    known = {"margin": 0.001, "low_family": -0.007, "high_family": 0.002, "n_replicates": 10}
    members = [
        known | {"n_replicates_needed": 12, "n_replicates_negligible": 30},
        known | {"than": "teacher", "n_replicates_negligible": 40},
        {"metric": "accuracy", "score": "none", "difference": -0.001, "low": -0.002, "high": 0.001, "margin": 0.003},
    ]
    compound = {"n_components": 2, "than": "ce, teacher", "level": 0.025}
    first, second, kept = (text.replace("\u00a0", " ") for text in verdict_of(members, **compound).further)
    for part in (
        "97.5 % interval −7.00 to +2.00×10⁻³",
        "margin 1.00×10⁻³",
        "negligible with 30",
        "about 12 replicates",
    ):
        assert part in first
    assert "negligible with 40" in second and "required cannot be estimated" in second
    assert "margin 0.30 points" in kept
    closed = verdict_of(members, **compound | {"verdict": "supported"}).further[0]
    assert "negligible with 30" in closed.replace("\u00a0", " ") and "required" not in closed
    older = verdict_of([{}, {"than": "teacher"}], **compound).further[0]  # of a table without these columns
    assert "margin" not in older and "required" not in older


def test_each_comparison_of_a_compound_claim_has_its_other_scores_and_a_claim_of_no_loss_its_p():
    other = {"score": "msp-ts", "repeats": True, "difference": -0.001}
    members = [{}, other, {"than": "teacher"}, {"than": "teacher"} | other | {"difference": -0.003}]
    found = verdict_of(members, n_components=2, than="ce, teacher", p_no_loss=0.03)
    assert ["msp-ts −1.00" in text for text in found.further] == [True, False]
    assert ["msp-ts −3.00" in text for text in found.further] == [False, True]
    assert "0.03" in found.sentence.rpartition("losing")[2]


def test_a_study_speaks_if_its_manipulation_checks_are_supported():
    assert failed_checks([verdict_of([{}])]) is None  # no check
    assert failed_checks([verdict_of([{}], role="check", verdict="supported, smaller than the margin")]) is None
    assert "kd-ranks-better" in failed_checks([verdict_of([{}], role="check")])


def test_the_differences_of_a_claim_in_short():
    [own] = verdict_of([{}, {"score": "msp-ts", "repeats": True, "difference": -0.001}]).differences
    assert own.replace("\u00a0", " ") == "−4.00 (−6.00 to +1.00×10⁻³)" and verdict_of([{}]).compared == "kd − ce"
    several = verdict_of([{}, {"than": "teacher", "dataset": "toys"}], n_components=2, than="ce, teacher").differences
    assert [text.partition(": ")[0] for text in several] == ["toys, kd − ce", "toys, kd − teacher"]
    nothing = {"difference": None, "low": None, "high": None, "reason": "no errors"}
    assert verdict_of([nothing]).differences == ["no errors"]
    assert verdict_of([{}], p_holm=0.25, p_negligible_holm=0.01).p == 0.25
    assert verdict_of([{}], p_holm=0.25, p_negligible_holm=0.01, verdict="negligible").p == 0.01
