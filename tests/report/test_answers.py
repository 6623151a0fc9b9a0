"""The answer on a study's card says what the numbers say, whatever the verdicts, directions and statements."""

import itertools
import re

import pytest
from small_report import COMPARISON, HYPOTHESIS, METRICS, frame, report

from selfdoubt.figures.points import with_arms
from selfdoubt.report.answers import LEADS, findings
from selfdoubt.report.arms import Arms
from selfdoubt.report.claims import Claim, claims_of, contradiction
from selfdoubt.report.effects import effects_of, margin_of
from selfdoubt.report.numbers import numbers_of
from selfdoubt.report.page import render
from selfdoubt.runtime.errors import UserError
from selfdoubt.runtime.schemas.comparisons import IDENTICAL

INTERVALS = {  # of differences whose margin is 1, with p of the difference and of its being negligible
    "above": (2.0, 1.0, 3.0, 0.001, 0.99),
    "small, above": (0.4, 0.1, 0.7, 0.001, 0.001),
    "around": (0.5, -2.0, 3.0, 0.6, 0.4),
    "within": (0.1, -0.5, 0.7, 0.7, 0.001),
}


def claim(verdict: str, numbers: tuple, sign: int, metric: str, **other) -> dict:
    """A row of the table of hypotheses whose numbers are times the metric's margin, and of a sign."""
    margin = 0.001 if metric == "aurc" else 0.003
    difference, low, high, p, p_negligible = numbers
    ends = sorted((sign * low * margin, sign * high * margin))
    row = HYPOTHESIS | {
        "metric": metric,
        "verdict": verdict,
        "margin": margin,
        "difference": sign * difference * margin,
    }
    row |= dict(zip(("low", "high"), ends, strict=True)) | dict(zip(("low_family", "high_family"), ends, strict=True))
    row |= {"p": p, "p_holm": p, "p_negligible": p_negligible, "p_negligible_holm": p_negligible, "n_replicates": 5}
    return row | other


def answer(*rows: dict, comparisons: tuple[dict, ...] = ()) -> str:
    found = claims_of(frame("hypotheses", [*rows]), frame("comparisons", [COMPARISON, *comparisons]), "distillation")
    text = " ".join(f"{each.lead}: {each.text}" for each in findings(found, Arms()))
    return text.replace("\u00a0", " ")


def expected(shape: str, sign: int, metric: str) -> str:
    """The verdict of these numbers: a difference of AURC is as claimed where it is negative."""
    as_claimed = sign == (-1 if metric == "aurc" else 1)
    if shape == "above":
        return "supported" if as_claimed else "refuted"
    if shape == "small, above":
        return "supported, smaller than the margin" if as_claimed else "refuted"
    return "negligible" if shape == "within" else "inconclusive"


CASES = [*itertools.product(LEADS, INTERVALS, (-1, 1), ("aurc", "accuracy"))]


@pytest.mark.parametrize(("verdict", "shape", "sign", "metric"), CASES)
def test_a_sentence_never_says_what_the_numbers_do_not(verdict, shape, sign, metric):
    """Of 96 combinations of verdict, numbers, sign and metric 16 agree: these are put in words, all others refused."""
    row = claim(verdict, INTERVALS[shape], sign, metric)
    right = expected(shape, sign, metric)
    if verdict != right:
        assert contradiction(Claim(row, [], []))
        with pytest.raises(UserError, match=r"the table of hypotheses: kd-ranks-better is '.*delete it and run again"):
            answer(row)
        return
    text = answer(row)
    assert text.startswith(f"{LEADS[verdict]}: ")
    if right.startswith(("supported", "refuted")):
        higher, lower = f"kd has a higher {'AURC' if metric == 'aurc' else metric} than ce", "kd has a lower"
        assert (higher in text) == (sign > 0) and (lower in text) == (sign < 0)
    if right == "inconclusive":  # the claimed side, as a question, with the signed difference
        assert f"whether kd has a {'lower AURC' if metric == 'aurc' else 'higher accuracy'} than ce (" in text
        assert ("(+" in text) == (sign > 0) and ("(−" in text) == (sign < 0)
    shown = [abs(float(number)) for number in re.findall(r"(\d+\.\d+)", text)]
    margin = 1.0 if metric == "aurc" else 0.3  # ×10⁻³, points
    assert round(abs(INTERVALS[shape][0]) * margin, 2) in shown


def test_the_statement_of_the_config_is_not_taken_for_an_answer():
    row = claim("supported", INTERVALS["above"], -1, "aurc", statement="Students know everything.")
    assert "everything" not in answer(row)


def test_findings_are_ordered_by_verdict_and_long_lists_are_counted():
    supported = [claim("supported", INTERVALS["above"], -1, "aurc", hypothesis=f"h{i}") for i in range(5)]
    text = answer(claim("negligible", INTERVALS["within"], 1, "accuracy", hypothesis="small"), *supported)
    assert text.index("Yes: ") < text.index("Too small to matter: ")
    assert text.count("kd has a lower AURC") == 3 and "2 further claims" in text


COMPONENTS = {  # of a claim of a lower AURC: difference, low, high and p
    "lower": (-0.004, -0.005, -0.003, 0.001),
    "least lower": (-0.002, -0.003, -0.001, 0.01),
    "higher": (0.003, 0.001, 0.005, 0.001),
    "open": (-0.001, -0.003, 0.001, 0.4),
    "wide": (-0.004, -0.009, 0.001, 0.001),  # whose p and interval contradict one another
}
KEPT = {  # of accuracy, which must not be lost: difference, low, high and p
    "gained": (0.01, 0.004, 0.016, 0.01),
    "lost": (-0.05, -0.06, -0.04, 0.0001),
    "not known": (None, None, None, None),
}
TWO_ARMS = {"than": "ce, teacher", "n_components": 2}
DATASETS = ("toys", "games", "cars")
SEVERAL = {"dataset": ", ".join(DATASETS), "n_components": 3, "on_at_least": 2}


def part(numbers: tuple, **other) -> dict:
    """A row of the table of comparisons, of the claim that the tests are about."""
    numbers = dict(zip(("difference", "low", "high", "p"), numbers, strict=True))
    return COMPARISON | {"hypothesis": "kd-ranks-better", "n_replicates": 5} | numbers | other


def compound(*names: str) -> tuple[dict, dict]:
    """What a claim of two comparisons, or on two of three data sets, is made of, and what its row has besides."""
    places = [{"than": than} for than in ("ce", "teacher")] if len(names) == 2 else [{"dataset": d} for d in DATASETS]
    found = [part(COMPONENTS[name], **place) for name, place in zip(names, places, strict=True)]
    return (TWO_ARMS if len(names) == 2 else SEVERAL), tuple(found)


COMPOUND_CASES = [  # components, and the verdict that they allow where the corrected p is below the level
    (("lower", "lower"), "supported"),
    (("lower", "open"), None),
    (("lower", "wide"), None),
    (("lower", "higher"), "refuted"),
    (("higher", "higher"), "refuted"),
    (("lower", "lower", "lower"), "supported"),
    (("lower", "lower", "higher"), "supported"),
    (("lower", "open", "open"), None),
    (("lower", "higher", "open"), None),
    (("lower", "higher", "higher"), "refuted"),
    (("higher", "higher", "higher"), "refuted"),
]


@pytest.mark.parametrize("verdict", ["supported", "refuted"])
@pytest.mark.parametrize(("names", "right"), COMPOUND_CASES)
def test_a_claim_of_several_comparisons_is_in_words_only_where_these_show_it(names, right, verdict):
    whole, parts = compound(*names)
    row = claim(verdict, INTERVALS["above"], -1 if verdict == "supported" else 1, "aurc", **whole)
    if verdict == right:
        assert answer(row, comparisons=parts).startswith(LEADS[verdict])
        return
    with pytest.raises(UserError, match=r"kd-ranks-better is '\w+', but .*; delete it and run again"):
        answer(row, comparisons=parts)


def test_a_claim_of_several_comparisons_is_refused_without_one_of_them():
    whole, parts = compound("lower", "lower")
    with pytest.raises(UserError, match="1 of its 2 comparisons"):
        answer(claim("supported", INTERVALS["above"], -1, "aurc", **whole), comparisons=parts[:1])


def test_several_comparisons_are_negligible_only_within_the_margin_each():
    row = claim("negligible", INTERVALS["within"], 1, "accuracy", **TWO_ARMS)
    places = [{"metric": "accuracy", "than": than} for than in ("ce", "teacher")]
    small, large = (part((size, size - 0.001, size + 0.001, 0.3), **places[0]) for size in (0.001, 0.004))
    text = answer(row, comparisons=(small, small | places[1]))
    assert text.startswith("Too small to matter: accuracy of kd and ce and teacher differ by less than the margin")
    with pytest.raises(UserError, match="its numbers do not show that"):
        answer(row, comparisons=(small, large | places[1]))


@pytest.mark.parametrize("p_no_loss", [0.001, 0.99, None])
@pytest.mark.parametrize("kept", KEPT)
@pytest.mark.parametrize("names", [(), ("lower", "lower"), ("lower", "lower", "lower")])
def test_nothing_is_kept_that_the_numbers_do_not_show_to_be(names, kept, p_no_loss):
    """On two of three data sets nothing is known of the third, which the row may be of."""
    whole, parts = compound(*names) if names else ({}, (part(COMPONENTS["lower"]),))
    row = claim("supported", INTERVALS["above"], -1, "aurc", p_no_loss=p_no_loss, **whole)
    of_kept = {"metric": "accuracy", "score": "none", "reason": "no incorrect samples"}
    parts += tuple(part(KEPT[kept], **of_kept, **{key: each[key] for key in ("dataset", "than")}) for each in parts)
    if kept != "not known" and (p_no_loss == 0.001 or len(names) == 3):
        assert "without a loss of accuracy beyond its margin" in answer(row, comparisons=parts)
        return
    with pytest.raises(UserError, match="a loss of accuracy is not excluded"):
        answer(row, comparisons=parts)


def test_a_claim_of_several_comparisons_gives_the_least_and_names_what_turned_out_the_other_way():
    whole, parts = compound("lower", "least lower")
    text = answer(claim("supported", INTERVALS["above"], -1, "aurc", **whole), comparisons=parts)
    assert "kd has a lower AURC than ce and teacher, each by 2.00×10⁻³ or more" in text
    whole, parts = compound("lower", "higher")
    text = answer(claim("refuted", INTERVALS["above"], 1, "aurc", **whole), comparisons=parts)
    assert "kd has a higher AURC than teacher, by 3.00×10⁻³ (95 % interval +1.00" not in text
    assert "kd has a higher AURC than teacher, by 3.00×10⁻³ (95 % interval 1.00 to 5.00×10⁻³)" in text


@pytest.mark.parametrize(("verdict", "words"), [("supported", "lower AURC"), ("refuted", "higher AURC")])
def test_a_claim_on_some_of_several_data_sets_counts_them(verdict, words):
    side, sign = ("lower", -1) if verdict == "supported" else ("higher", 1)
    whole, parts = compound(side, "open", side)
    text = answer(claim(verdict, INTERVALS["above"], sign, "aurc", **whole), comparisons=parts)
    assert f"kd has a {words} than ce on at least 2 of 3 data sets (p = 0.001)" in text


def test_a_negligible_claim_on_some_of_several_data_sets_counts_those_within_the_margin():
    datasets = ("toys", "games", "cars", "boats")
    several = {"dataset": ", ".join(datasets), "n_components": 4, "on_at_least": 2}
    parts = tuple(part(COMPONENTS["lower"], dataset=dataset) for dataset in datasets)
    text = answer(claim("negligible", INTERVALS["within"], 1, "aurc", **several), comparisons=parts)
    assert "less than the margin on at least 3 of 4 data sets (p = 0.001)" in text


def test_what_must_not_be_lost_is_named_and_so_is_what_keeps_a_claim_open():
    own, kept = part(COMPONENTS["lower"]), part(KEPT["gained"], metric="accuracy", score="none")
    text = answer(claim("supported", INTERVALS["above"], -1, "aurc", p_no_loss=0.001), comparisons=(own, kept))
    assert "without a loss of accuracy beyond its margin" in text
    same = part((0.0, None, None, None), metric="accuracy", score="none", reason=IDENTICAL)
    text = answer(claim("supported", INTERVALS["above"], -1, "aurc", p_no_loss=None), comparisons=(own, same))
    assert "without a loss of accuracy beyond its margin" in text
    open_ = claim("inconclusive", INTERVALS["above"], -1, "aurc", p_holm=0.5, p_no_loss=0.5)
    assert "a loss of accuracy is not excluded" in answer(open_, comparisons=(own, kept))
    unknown = kept | dict.fromkeys(("difference", "low", "high")) | {"reason": "no incorrect samples"}
    assert "a loss of accuracy is not excluded" in answer(open_ | {"p_no_loss": None}, comparisons=(own, unknown))
    few = claim("inconclusive", INTERVALS["above"], -1, "aurc", n_replicates=3)
    assert "3 replicates cannot decide" in answer(few)


def test_arms_that_are_identical_or_have_no_numbers_are_no_effect():
    nothing = dict.fromkeys(("low", "high", "p", "p_holm", "low_family", "high_family", "level"))
    same = claim("identical", INTERVALS["within"], 1, "aurc") | nothing | {"difference": 0.0, "reason": IDENTICAL}
    assert answer(same) == "No difference: kd and ce are identical on every image."
    unknown = claim("inconclusive", INTERVALS["around"], 1, "aurc") | nothing
    unknown |= {"difference": None, "reason": "no incorrect samples", "p_negligible_holm": None}
    assert "no difference to see (no incorrect samples)" in answer(unknown)
    numbers = numbers_of(with_arms(frame("metrics", METRICS)))
    found = claims_of(frame("hypotheses", [same, unknown]), frame("comparisons", []), "distillation")
    effects, _ = effects_of(found, numbers, {}, Arms())
    assert [(each.track, each.text) for each in effects] == [(None, "identical"), (None, "no interval")]


# ---- the small forest plot ----


def effect_of(row: dict):
    numbers = numbers_of(with_arms(frame("metrics", METRICS)))
    found = claims_of(frame("hypotheses", [row]), frame("comparisons", []), "distillation")
    [effect], _ = effects_of(found, numbers, {}, Arms())
    return effect


@pytest.mark.parametrize(("sign", "metric"), [(-1, "aurc"), (1, "accuracy")])
def test_an_effect_as_claimed_lies_right_of_the_middle_in_units_of_its_margin(sign, metric):
    effect = effect_of(claim("supported", INTERVALS["above"], sign, metric))  # 2 margins, from 1 to 3
    reach = 3 * 1.08
    assert effect.track.estimate == pytest.approx(50 + 50 * 2 / reach, abs=0.01)
    assert effect.track.interval == pytest.approx((50 + 50 / reach, 100 / reach), abs=0.01)
    assert effect.track.margin == pytest.approx((50 - 50 / reach, 100 / reach), abs=0.01) and effect.track.cut == (
        False,
        False,
    )


def test_an_interval_that_leaves_the_plot_is_cut_and_marked():
    effect = effect_of(claim("refuted", (20.0, 10.0, 30.0, 0.001, 0.99), 1, "aurc"))
    assert effect.track.interval == (0, 0) and effect.track.estimate == 0 and effect.track.cut == (True, False)


def test_the_margin_of_a_comparison_is_that_of_its_claim_or_of_the_metric():
    numbers = numbers_of(with_arms(frame("metrics", METRICS)))
    settings = {"hypotheses": {"given": {"margin": 0.7, "metric": "aurc"}, "none": {"margin": None, "metric": "aurc"}}}
    assert margin_of(COMPARISON, "given", numbers, settings) == 0.7
    assert margin_of(COMPARISON, "none", numbers, settings) == pytest.approx(0.05 * 0.020)  # 5 % of ce's AURC
    assert margin_of(COMPARISON | {"than": "gone"}, None, numbers, settings) is None


# ---- on the page ----


def card(**changes) -> str:
    row = claim("supported", INTERVALS["above"], -1, "aurc", **changes)
    check = claim("supported", INTERVALS["above"], -1, "aurc", role="check", hypothesis="known")
    page = render(report(hypotheses=frame("hypotheses", [check, row])))
    return page.partition('<article class="card"')[2].partition("</article>")[0].replace("\u00a0", " ")


def test_a_card_has_the_question_the_answer_the_effect_and_what_it_rests_on():
    found = card()
    places = [
        found.index(text) for text in ("Does a student know better?", "Yes:", '<i class="interval supported', "5 rep")
    ]
    assert places == sorted(places) and "1 of 1 manipulation check supported" in found


def test_a_claim_whose_numbers_were_known_describes_and_answers_nothing():
    assert "With numbers that were known before: " in card(registered=False)
    assert "With numbers that were known before" not in card()


def test_a_study_whose_check_failed_has_no_answer():
    check = claim("inconclusive", INTERVALS["around"], -1, "aurc", role="check", hypothesis="known")
    row = claim("supported", INTERVALS["above"], -1, "aurc")
    page = render(report(hypotheses=frame("hypotheses", [check, row])))
    assert "supports no conclusion" in page and "Yes:" not in page
