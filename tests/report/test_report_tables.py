"""Tables and sentences of the page: what a cell, a caption and an answer say."""

import copy

import pytest
from selfdoubt.report.answers import answers_of
from selfdoubt.report.decisions import decision_tables
from selfdoubt.report.details import comparison_table, cost_table, counts_table, mask_table, missing_table
from selfdoubt.report.enhancements import enhancement_table
from small_report import CHOSEN, COMPARISON, COSTS, GROUPS, HYPOTHESIS, METRICS, SETTINGS, frame, report, row

from selfdoubt.report.formats import metric_of, number, p_value
from selfdoubt.report.numbers import Column, arm_order, averaged_by_severity, numbers_of, with_arms
from selfdoubt.report.page import render, what_is
from selfdoubt.report.tables import numbers_table


def answer(**changes) -> str:
    hypotheses = frame("hypotheses", [HYPOTHESIS | changes])
    [told] = answers_of(hypotheses, numbers_of(with_arms(frame("metrics", METRICS))), "distillation")
    return told.sentence.replace("\u00a0", " ")


def table_of(*columns: Column, best_of: str = "column"):
    numbers = numbers_of(with_arms(frame("metrics", METRICS)))
    return numbers_table(numbers, "toys", ["ce", "kd"], columns, "All", best_of)


def test_a_cell_is_mean_and_standard_deviation_over_replicates():
    [(_, [ce, _]), (_, [kd, _])] = table_of(Column("accuracy"), Column("aurc", "msp")).rows
    assert (ce.text, ce.spread) == ("0.9200", "±\u00a00.0100")  # .91, .92, .93
    assert kd.text == "0.9600"


def test_the_best_mean_follows_the_direction_of_the_metric():
    [(_, ce), (_, kd)] = table_of(Column("accuracy"), Column("aurc", "msp")).rows
    assert [cell.best for cell in kd] == [True, True]  # higher accuracy, lower AURC
    assert [cell.best for cell in ce] == [False, False]


def test_a_null_is_left_out_of_the_mean_and_noted_with_its_reason():
    table = table_of(Column("auroc", "msp"))
    kd = table.rows[1][1][0]
    assert (kd.text, kd.marks) == ("0.9000", "a")
    assert table.notes == [("a", "no value for replicate 2: no errors")]
    assert (
        table.caption
        == "All. n = 100 images; mean ± standard deviation over 3 replicates. Bold: best mean of the column."
    )
    page = render(report())
    assert "no value for replicate 2: no errors" in page and "1\u00a0number of 18 does not exist" in page


def test_an_arm_measured_with_fewer_replicates_says_so():
    numbers = numbers_of(with_arms(frame("metrics", METRICS[:5])))
    table = numbers_table(numbers, "toys", ["ce", "kd"], [Column("accuracy")], "All")
    assert table.notes == [("a", "2 of 3\u00a0replicates measured")]


def test_missing_numbers_are_grouped_by_arm_split_and_reason():
    rows = [row("ce", replicate, metric, None) for replicate in (1, 2) for metric in ("auroc", "naurc")]
    [(arm, cells)] = missing_table(with_arms(frame("metrics", rows))).rows
    assert [arm, *(cell.text for cell in cells)] == ["ce", "test", "auroc and naurc", "msp", "1 and 2", "no errors"]
    assert missing_table(with_arms(frame("metrics", METRICS[:1]))) is None


def test_corruptions_are_averaged_within_a_replicate():
    values = [(1, "blur", 0.5), (1, "noise", 0.7), (2, "blur", 0.7), (2, "noise", 0.9)]
    rows = [row("ce", replicate, "accuracy", value, split=f"{name}-1") for replicate, name, value in values]
    rows.append(row("kd", 1, "accuracy", None, split="blur-1"))
    averaged = averaged_by_severity(numbers_of(with_arms(frame("metrics", rows))), "toys", ["blur", "noise"], [1, 2])
    ce = averaged["toys", "ce", "severity-1", "accuracy", "none"]
    [kd] = averaged["toys", "kd", "severity-1", "accuracy", "none"]
    assert [(value.replicate, pytest.approx(value.value)) for value in ce] == [(1, 0.6), (2, 0.8)]
    assert kd.value is None and kd.reason == "one corruption has none: no errors"


def test_arms_stand_in_the_order_of_the_settings():
    arms = ["pair/mean", "kd", "ce/odin", "unknown", "ce", "teacher"]
    table = with_arms(frame("metrics", [row(arm, 1, "accuracy", 0.9) for arm in arms]))
    assert arm_order(table, SETTINGS) == ["teacher", "ce", "ce/odin", "kd", "pair/mean", "unknown"]


def test_an_arm_is_told_by_its_settings():
    assert what_is("kd", SETTINGS) == "network net; temperature 4"
    assert what_is("ce/odin", SETTINGS) == "model ce; method odin; epsilon 255 1, 2"
    assert what_is("pair/mean", SETTINGS) == "members ce, kd; method mean-probability"


def test_a_sentence_has_effect_interval_replicates_and_p():
    assert answer() == (
        "AURC of kd is 4.00×10⁻³ lower than that of ce on test, score msp (×10³: kd 16.00 ± 0.00, ce 20.00 ± 0.00). "
        "95 % interval −6.00 to +1.00×10⁻³; 3 replicates, effect size −1.50; Holm-corrected p = 0.08. "
        "At this difference and spread about 12 replicates are required."
    )


def test_a_difference_of_fractions_is_in_percentage_points():
    told = answer(metric="accuracy", score="none", difference=0.04, low=0.01, high=0.07, verdict="supported")
    assert told.startswith(
        "Accuracy of kd is 4.00 percentage points higher than that of ce on test (kd 0.9600 ± 0.0100"
    )
    assert "95 % interval +1.00 to +7.00 points; 3 replicates" in told
    assert "required" not in told


def test_replicates_that_cannot_be_estimated_and_differences_that_do_not_exist():
    assert "the number of replicates required cannot be estimated" in answer(n_replicates_needed=None)
    told = answer(metric="auroc", difference=None, low=None, high=None, p=None, p_holm=None)
    assert told == "The difference in AUROC on test, score msp does not exist (kd: no errors)."


def test_where_enough_replicates_did_not_tell_the_reason_is_named():
    within = answer(n_replicates_needed=3)
    assert within.endswith(
        "By the spread over replicates alone 3 would do, but the interval, which resamples test images too, includes "
        "zero."
    )
    beyond = answer(n_replicates_needed=2, high=-0.001)
    assert (
        "By the spread over replicates alone 2 would do, but the p corrected for all hypotheses of the study is not"
        in beyond
    )
    assert beyond.endswith("below 0.05 (uncorrected p = 0.04).")


def test_one_replicate_tells_of_two_models_that_were_trained_elsewhere_and_of_no_others():
    told = answer(low=-0.004, high=-0.001, verdict="supported", n_replicates=1)
    assert told.endswith("Trained elsewhere, once: this is known of these two models, not of the way they were made.")
    told = answer(low=-0.004, high=-0.001, verdict="inconclusive", n_replicates=1)
    assert told.endswith("One replicate: nothing is known of the next one, so there is no verdict.")
    for text in (answer(low=-0.004, high=-0.001, verdict="supported"), answer()):
        assert "One replicate" not in text and "once" not in text


def test_a_difference_below_the_last_digit_is_not_told_as_zero():
    told = answer(difference=-1e-7)
    assert told.startswith("AURC of kd is less than 0.01×10⁻³ lower than that of ce")


def test_a_comparison_has_its_unit_and_interval():
    table = comparison_table(frame("comparisons", [COMPARISON]), frame("hypotheses", []), "distillation")
    [(label, cells)] = table.rows
    texts = [cell.text.replace("\u00a0", " ") for cell in cells]
    assert label == "kd − ce" and len(table.headings) == len(texts)
    assert texts == ["AURC ↓", "×10⁻³", "msp", "test", "−4.00", "−6.00 to +1.00", "−1.50", "0.04", "0.08"]
    assert table.caption.endswith("within the study. Replicates: 3.")


def test_numbers_of_replicates_that_differ_have_a_column():
    rows = frame("comparisons", [COMPARISON, COMPARISON | {"than": "teacher", "n_replicates": 1}])
    table = comparison_table(rows, frame("hypotheses", []), "distillation")
    assert table.headings[-1] == "replicates" and [cells[-1].text for _, cells in table.rows] == ["3", "1"]
    assert "Replicates:" not in table.caption


def test_a_registered_comparison_is_not_shown_as_exploratory():
    rows = frame("comparisons", [COMPARISON, COMPARISON, COMPARISON | {"metric": "ece"}])
    table = comparison_table(rows, frame("hypotheses", [HYPOTHESIS]), "distillation")
    assert [cells[0].text for _, cells in table.rows] == ["ECE\u00a0↓"]
    assert comparison_table(rows[:2], frame("hypotheses", [HYPOTHESIS]), "distillation") is None


def test_decisions_are_shown_with_weights_costs_and_what_no_protocol_can_beat():
    [table] = decision_tables(frame("groups", GROUPS), ["ce", "pair/shout", "pair/mean"])
    rows = {name: [(cell.text, cell.spread.replace("\u00a0", " ")) for cell in cells] for name, cells in table.rows}
    assert list(rows) == ["shout", "mean", "oracle selector", "best member on val"]
    mean, nothing = rows["mean"], ("", "")
    assert table.headings[2:] == ["errors fixed", "weight", "forwards"]  # nobody broke anything, talked or climbed
    assert mean == [("0.8500", "± 0.0707"), nothing, ("4.5", "± 2.1"), nothing, ("2.00", "± 0.00")]
    assert rows["shout"][3] == ("−1.00", "± 0.71")
    assert rows["shout"][1] == ("0.2500", "")  # one replicate has none, which the note says
    assert table.notes == [("a", "no samples")] and table.rows[0][1][1].marks == "a"
    caption = table.caption.replace("\u00a0", " ")
    assert "What pair decides on toys, test (n = 100 images, on 4 ± 6 of which its members disagree)" in caption
    assert "mean ± standard deviation over 2 replicates" in caption


def test_costs_are_summed_by_rule():
    rule, total = cost_table(frame("costs", COSTS)).rows
    assert rule[0] == "train" and total[0] == "all"
    assert [cell.text for cell in rule[1]] == ["2", "40.0", "20.00", "38.0", "700"]


def test_what_a_data_set_is_made_of_is_shown():
    settings = copy.deepcopy(SETTINGS) | {"ood_sets": {"digits": {"overlap": "none by name"}}}
    table = counts_table("toys", report().counts["toys"], settings)
    rows = {name: [cell.text for cell in cells] for name, cells in table.rows}
    assert rows == {
        "images": ["7", "4", "4"],
        "classes": ["2", "2", "2"],
        "smallest class": ["2", "2", "2"],
        "duplicates of a training image": ["", "", "3"],
    }
    assert "files left aside as no images: a.txt, <b>.txt." in table.caption
    assert "In common with digits: none by name" in table.caption
    assert "&lt;b&gt;.txt" in render(report())


def test_mask_quality_shows_n_or_the_reason():
    [(_, [iou]), (_, [empty])] = mask_table("unet", report().mask_quality["toys", "unet"]).rows
    assert (iou.text, iou.spread) == ("0.7500", "n = 10")
    assert (empty.text, empty.spread) == ("–", "no images")


@pytest.mark.parametrize(
    ("value", "digits", "sign", "text"),
    [(1234.5, 1, False, "1,234.5"), (-0.001, 2, True, "0.00"), (-0.5, 1, True, "−0.5"), (0.5, 1, True, "+0.5")],
)
def test_numbers_have_a_real_minus_and_no_negative_zero(value, digits, sign, text):
    assert number(value, digits, sign) == text


def test_small_p_and_parametrised_metrics():
    assert (p_value(0.00001), p_value(0.012), p_value(0.345), p_value(None)) == (
        "<\u00a00.001",
        "=\u00a00.012",
        "=\u00a00.34",
        "–",
    )
    assert metric_of("coverage-at-sac-99.5").heading == "coverage at 99.5 % SAC\u00a0↑"
    assert metric_of("aurc").heading == "AURC ×10³\u00a0↓"


def test_what_was_chosen_stands_with_what_it_costs():
    table = enhancement_table(frame("enhancements", CHOSEN), SETTINGS, ["ce", "ce/odin"])
    assert table.headings == ["method", "replicate 1", "replicate 2", "forwards", "backwards"]
    assert [(arm, [cell.text for cell in cells]) for arm, cells in table.rows] == [
        ("ce/odin", ["odin", "ε 1/255", "ε 0.5/255", "2.25", "1"])
    ]
    assert enhancement_table(frame("enhancements", CHOSEN), SETTINGS, ["ce"]) is None
    assert enhancement_table(frame("enhancements", []), SETTINGS, ["ce/odin"]) is None


def test_a_setting_without_a_choice_is_not_told_as_chosen():
    one = copy.deepcopy(SETTINGS)
    one["enhancers"]["odin"]["epsilon_255"] = [1]
    [(_, cells)] = enhancement_table(frame("enhancements", CHOSEN[2:]), one, ["kd/odin"]).rows
    assert [cell.text for cell in cells] == ["odin", "one candidate", "2", "1"]


def test_a_bound_is_marked_and_never_best():
    numbers = numbers_of(with_arms(frame("metrics", METRICS)))
    columns = [Column("accuracy"), Column("aurc", "msp")]
    free = numbers_table(numbers, "toys", ["ce", "kd"], columns, "All")
    bound = numbers_table(numbers, "toys", ["ce", "kd"], columns, "All", bounds=["kd"])
    assert [[cell.best for cell in cells] for _, cells in free.rows] == [[False, False], [True, True]]
    assert [arm for arm, _ in bound.rows] == ["ce", "kd (bound)"]
    assert not any(cell.best for cell in bound.rows[1][1])
    told = " kd reads the true labels: an upper bound, not compared with others as a contender."
    assert bound.caption == free.caption + told
