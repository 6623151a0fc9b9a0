"""Tables and sentences of the page: what is in a cell, a caption and a verdict."""

import copy

import pandas as pd
import pytest
from small_report import CHOSEN, COMPARISON, COSTS, GROUPS, METRICS, SETTINGS, frame, report, row

from selfdoubt.figures.points import with_arms
from selfdoubt.report.arm_tables import failure_columns, numbers_table
from selfdoubt.report.arms import Arms
from selfdoubt.report.comparison_tables import comparison_table
from selfdoubt.report.data_tables import counts_table, mask_table
from selfdoubt.report.enhancement_tables import enhancement_table
from selfdoubt.report.fidelity_tables import fidelity_tables
from selfdoubt.report.formats import metric_of, number, p_value
from selfdoubt.report.gap_tables import gap_tables
from selfdoubt.report.group_tables import group_tables
from selfdoubt.report.guarantee_tables import guarantee_tables
from selfdoubt.report.information_tables import information_tables
from selfdoubt.report.numbers import Column, arm_order, averaged_by_severity, numbers_of
from selfdoubt.report.page import render, what_is
from selfdoubt.report.run_tables import cost_table, missing_table, training_cost_table

TRAINED = [("sam", 1, 21.0), ("ce", 1, 11.0), ("ce", 2, 5.0), ("ce", 3, 91.0)]  # model, replicate, seconds


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
    assert table.caption.startswith("All. n = 100 images; mean ± standard deviation over 3 replicates.")
    page = render(report())
    assert "no value for replicate 2: no errors" in page and "1 of 18\u00a0numbers is undefined" in page


def test_an_arm_measured_with_fewer_replicates_is_marked():
    numbers = numbers_of(with_arms(frame("metrics", METRICS[:5])))
    table = numbers_table(numbers, "toys", ["ce", "kd"], [Column("accuracy")], "All")
    assert table.notes == [("a", "2 of 3\u00a0replicates measured")]


def test_missing_numbers_are_grouped_by_arm_and_reason_splits_together():
    rows = [row("ce", replicate, metric, None) for replicate in (1, 2) for metric in ("auroc", "naurc")]
    rows += [row | {"split": "blur-1"} for row in rows]
    [(arm, cells)] = missing_table(with_arms(frame("metrics", rows))).rows
    found = ["ce", "test and blur-1", "auroc and naurc", "msp", "1 and 2", "no errors"]
    assert [arm, *(cell.text for cell in cells)] == found
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


def test_the_settings_of_an_arm():
    assert what_is("kd", SETTINGS) == "network: net; temperature: 4"
    assert what_is("ce/odin", SETTINGS) == "model: ce; method: odin; epsilon_255: 1, 2"
    assert what_is("pair/mean", SETTINGS) == "members: ce, kd; method: mean-probability"


def test_members_that_are_numbered_on_are_shown_by_the_first_and_the_last():
    names = Arms({"fold-1": "Fold 1", "ce": "CE"})
    assert names.spans(["ce", *(f"fold-{i}" for i in (1, 10, 2, 3, 4, 5, 6, 7, 8, 9))]) == ["CE", "Fold 1 to fold-10"]
    assert names.spans(["a-1", "a-2", "a-4", "b-3", "c-x"]) == ["a-1", "a-2", "a-4", "b-3", "c-x"]
    settings = {"students": {"kd": {"teacher": ["fold-1", "fold-2", "fold-3"]}}}
    assert what_is("kd", settings) == "teacher: fold-1 to fold-3"


def test_a_column_that_no_arm_has_is_left_out():
    table = table_of(Column("accuracy"), Column("nll", "msp"), Column("aurc", "msp"))
    assert len(table.headings) == 2 and all(len(cells) == 2 for _, cells in table.rows)


def test_a_comparison_has_its_unit_and_interval():
    table = comparison_table(frame("comparisons", [COMPARISON]), "distillation", {})
    [(label, cells)] = table.rows
    texts = [cell.text.replace("\u00a0", " ") for cell in cells]
    assert label == "kd − ce" and len(table.headings) == len(texts)
    assert texts == ["AURC ↓", "×10⁻³", "msp", "test", "−4.00", "−6.00 to +1.00", "−1.50", "0.04", "0.08"]
    assert table.caption.endswith("Replicates: 3.")


def test_a_comparison_is_sorted_and_downloaded_by_exact_numbers():
    unknown = dict.fromkeys(("difference", "low", "high", "effect_size", "p", "p_holm"))
    rows = [COMPARISON | unknown | {"reason": "no errors"}, COMPARISON | {"metric": "accuracy", "p": 0.00001}]
    table = comparison_table(frame("comparisons", rows), "distillation", {})
    (_, none), (_, found) = table.rows
    assert [cell.exact for cell in found[4:]] == pytest.approx([-0.4, -0.6, -1.5, 0.00001, 0.08])
    assert found[5].exact_high == pytest.approx(0.1) and {cell.exact for cell in none} == {None}
    page = render(report(comparisons=frame("comparisons", rows)))
    shown = page.partition("Not pre-registered")[2].partition("</table>")[0]
    assert shown.count('data-order=""') == 5 and 'data-order="1e-05"' in shown and 'data-high="0.1"' in shown


TABLES = {
    "comparisons": lambda: comparison_table(frame("comparisons", [COMPARISON]), "distillation", {}),
    "groups": lambda: group_tables(frame("groups", GROUPS), ["pair/shout", "pair/mean"])[0],
    "costs": lambda: cost_table(frame("costs", COSTS)),
    "counts": lambda: counts_table("toys", report().counts["toys"], SETTINGS),
    "masks": lambda: mask_table("unet", report().mask_quality["toys", "unet"]),
    "enhancements": lambda: enhancement_table(frame("enhancements", CHOSEN), SETTINGS, ["ce/odin"]),
    "arms": lambda: table_of(Column("accuracy"), Column("aurc", "msp")),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_cell_with_a_number_has_the_exact_one(name):
    table = TABLES[name]()
    shown = [cell for _, cells in table.rows for cell in cells[table.n_words :] if cell.text not in ("", "–")]
    assert shown
    for cell in shown:
        text = cell.text.partition(" to ")[0].replace("−", "-").replace(",", "")
        assert cell.exact == pytest.approx(float(text), abs=0.51 * 10.0 ** -len(text.partition(".")[2]))


def test_numbers_of_replicates_that_differ_have_a_column():
    rows = frame("comparisons", [COMPARISON, COMPARISON | {"than": "teacher", "n_replicates": 1}])
    table = comparison_table(rows, "distillation", {})
    assert table.headings[-1] == "replicates" and [cells[-1].text for _, cells in table.rows] == ["3", "1"]
    assert "Replicates:" not in table.caption


def test_a_registered_comparison_is_not_shown_as_exploratory():
    rows = frame("comparisons", [COMPARISON, COMPARISON, COMPARISON | {"metric": "ece"}])
    rows.loc[1, "hypothesis"] = "kd-ranks-better"
    table = comparison_table(rows, "distillation", {})
    assert [cells[0].text for _, cells in table.rows] == ["ECE\u00a0↓"]
    assert comparison_table(rows[:2], "distillation", {}) is None
    rows.loc[1, ["better", "than"]] = ["ce", "kd"]  # claimed the other way round
    assert comparison_table(rows[:2], "distillation", {}) is None


def test_decisions_are_shown_with_weights_costs_and_the_oracle():
    [table] = group_tables(frame("groups", GROUPS), ["ce", "pair/shout", "pair/mean"], Arms({"pair/mean": "MEAN"}))
    rows = {name: [(cell.text, cell.spread.replace("\u00a0", " ")) for cell in cells] for name, cells in table.rows}
    assert list(rows) == ["pair/shout", "MEAN", "oracle selector (upper bound)", "best member on val"]
    mean, nothing = rows["MEAN"], ("", "")
    assert table.headings[2:] == ["errors fixed", "weight", "forwards"]  # these columns are empty
    assert mean == [("0.8500", "± 0.0707"), nothing, ("4.5", "± 2.1"), nothing, ("2.00", "± 0.00")]
    assert rows["pair/shout"][3] == ("−1.00", "± 0.71")
    assert rows["pair/shout"][1] == ("0.2500", "")  # one replicate has none, which the note states
    assert table.notes == [("a", "no samples")] and table.rows[0][1][1].marks == "a"
    caption = table.caption.replace("\u00a0", " ")
    assert "pair on toys, test (n = 100 images, on 4 ± 6 of which its members disagree)" in caption
    assert "mean ± standard deviation over 2 replicates" in caption


def test_costs_are_summed_by_rule():
    rule, total = cost_table(frame("costs", COSTS)).rows
    assert rule[0] == "train" and total[0] == "all"
    assert [cell.text for cell in rule[1]] == ["2", "40.0", "20.00", "38.0", "700"]


def test_the_cost_of_a_training_is_the_median_of_its_replicates_beside_the_least():
    jobs = [("train_baseline", f"toys/{model}/replicate-{i}", s, s - 1, 9.0) for model, i, s in TRAINED]
    table = training_cost_table(frame("costs", [*jobs, *COSTS, ("predict", "toys/ce/replicate-1", 1.0, 1.0, 9.0)]))
    shown = {name: [cell.text for cell in cells] for name, cells in table.rows}
    assert shown == {"ce": ["3", "10.0", "1.00", "11.0"], "sam": ["1", "20.0", "2.00", "21.0"]}
    assert training_cost_table(frame("costs", COSTS)) is None


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
    assert "a.txt, <b>.txt." in table.caption
    assert "In common with digits: none by name" in table.caption and "replicate" not in table.caption
    settings["datasets"]["toys"] |= {"train_images_per_replicate": 3}
    assert "3 of them, which are in no other" in counts_table("toys", report().counts["toys"], settings).caption
    assert "&lt;b&gt;.txt" in render(report())


def test_mask_quality_shows_n_or_the_reason():
    [(_, [iou]), (_, [empty])] = mask_table("unet", report().mask_quality["toys", "unet"]).rows
    assert (iou.text, iou.spread) == ("0.7500", "n = 10")
    assert (empty.text, empty.spread) == ("–", "no images")


def test_mask_quality_of_several_replicates_is_their_mean():
    [one] = report().mask_quality["toys", "unet"]
    other = one.assign(value=[0.5, 0.25], n=[20, 4])
    table = mask_table("unet", [one, other])
    [(_, [iou]), (_, [empty])] = table.rows
    assert (iou.text, iou.spread, empty.text) == ("0.6250", "n = 30", "0.2500")
    assert "mean of 2\u00a0replicates" in table.caption


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
    assert "mean over replicates" in table.caption
    one = enhancement_table(frame("enhancements", CHOSEN[:1]), SETTINGS, ["ce/odin"])
    assert "mean over replicates" not in one.caption
    assert enhancement_table(frame("enhancements", CHOSEN), SETTINGS, ["ce"]) is None
    assert enhancement_table(frame("enhancements", []), SETTINGS, ["ce/odin"]) is None


def test_a_setting_without_a_choice_is_not_shown_as_chosen():
    one = copy.deepcopy(SETTINGS)
    one["enhancers"]["odin"]["epsilon_255"] = [1]
    [(_, cells)] = enhancement_table(frame("enhancements", CHOSEN[2:]), one, ["kd/odin"]).rows
    assert [cell.text for cell in cells] == ["odin", "one candidate", "2", "1"]


def test_an_upper_bound_is_marked_and_never_best():
    numbers = numbers_of(with_arms(frame("metrics", METRICS)))
    columns = [Column("accuracy"), Column("aurc", "msp")]
    names = Arms({"kd": "KD"}, frozenset(["kd"]))
    free = numbers_table(numbers, "toys", ["ce", "kd"], columns, "All")
    bound = numbers_table(numbers, "toys", ["ce", "kd"], columns, "All", names=names)
    assert [[cell.best for cell in cells] for _, cells in free.rows] == [[False, False], [True, True]]
    assert [arm for arm, _ in bound.rows] == ["ce", "KD (upper bound)"]
    assert not any(cell.best for cell in bound.rows[1][1])
    assert bound.caption.startswith(f"{free.caption} KD uses true labels or true masks")


GAP = {"dataset": "toys", "name": "ce", "variant": "clean", "split": "test", "score": "msp", "n": 9, "reason": None}


def gaps(arm: str, part: str, values: list[float | None], coverage: float | None = None, **other) -> list[dict]:
    known = GAP | {"name": arm, "part": part, "coverage_percent": coverage} | other
    return [known | {"replicate": i, "value": value} for i, value in enumerate(values)]


def test_gaps_have_columns_of_what_is_known_of_some_arm_and_reasons_for_the_rest():
    rows = [
        *gaps("ce", "gap", [0.004, 0.006]),
        *gaps("ce", "gap", [0.02, 0.02], 50.0),
        *gaps("ce", "noise", [0.001, 0.001]),
        *gaps("kd", "gap", [0.003]),
        *gaps("kd", "noise", [None], reason="nobody was asked"),
        *gaps("kd", "gap", [0.9], score="margin"),
        *gaps("ce", "mended-by-logits", [None], reason="no val"),
        *gaps("alone", "gap", [0.5]),
    ]
    (table,) = gap_tables(pd.DataFrame(rows), ["kd", "ce"])
    cells = {arm: [cell.text for cell in line] for arm, line in table.rows}
    assert cells == {"kd": ["3.00", "–", "–"], "ce": ["5.00", "1.00", "2.00"]}
    assert [text for _, text in table.notes] == ["nobody was asked"] and "mended-by-logits (no val)" in table.caption
    assert sum(span for _, span in table.groups) == len(table.headings) == 3
    assert gap_tables(frame("gaps", []), ["ce"]) == []


def test_students_have_a_row_of_how_they_follow_their_teachers_on_test():
    row = {"dataset": "toys", "teacher": "big, huge", "reference": None, "decile": None, "split": "test", "n": 9}
    rows = [
        row | {"student": student, "replicate": replicate, "quantity": quantity, "value": value, "reason": why} | other
        for student, replicate in (("kd", 1), ("kd", 2), ("alone", 1))
        for quantity, value, why, other in (
            ("agreement", 0.8 + replicate / 10, None, {}),
            ("agreement", 0.1, None, {"split": "val"}),
            ("error", 0.1, None, {"decile": 1}),
            ("kl", None, "needs logits", {}),
        )
    ]
    (table,) = fidelity_tables(pd.DataFrame(rows), ["ce", "kd"], Arms({"huge": "Huge", "kd": "KD"}))
    ((label, cells),) = table.rows
    assert label == "KD" and [cell.text for cell in cells[:3]] == ["big and Huge", "0.9500", "–"]
    assert table.notes == [("a", "needs logits")] and sum(span for _, span in table.groups) == len(table.headings)
    assert fidelity_tables(frame("fidelity", []), ["kd"]) == []


def test_guarantees_have_a_table_of_thresholds_and_one_of_sets():
    assert guarantee_tables(frame("guarantees", [])) == []

    def row(method, level, replicate, quantity, value, reason=None, name="ce"):
        return ("toys", name, replicate, "clean", method, "msp", level, quantity, value, 100, reason)

    values = {"bound": None, "coverage": 0.0, "risk": None, "broken-bounds": 0.0}
    rows = [row("sgr", 0.05, i, key, value, "too few") for i in (1, 2) for key, value in values.items()]
    rows += [
        row("aps", 0.1, i, key, i / 4, name=name)
        for name in ("ce", "kd")
        for i in (1, 2)
        for key in ("quantile", "coverage", "size", "size-stratified-coverage", "coverage-size-0-1")
    ]
    of_selection, of_sets = guarantee_tables(frame("guarantees", rows))
    assert of_selection.groups == [("risk 0.05", 4)] and of_sets.groups == [("APS, 0.9", 3)]
    [(arm, cells)] = of_selection.rows
    assert arm == "ce" and [cell.text for cell in cells] == ["–", "0.0000", "–", "0.0000"]
    assert of_selection.notes == [("a", "too few")]
    assert [arm for arm, _ in of_sets.rows] == ["ce", "kd"] and of_sets.rows[0][1][0].text == "0.3750"
    assert "APS, 0.9" in render(report(guarantees=frame("guarantees", rows)))


def test_information_has_a_row_a_protocol_and_the_reasons_of_replicates_as_notes():
    assert information_tables(frame("information", [])) == []

    def row(protocol, replicate, verdict=None, reason=None):
        numbers = (None,) * 6 if reason else (120, 0.5, 0.46, -0.04, -0.05, -0.03)
        return ("toys", "trio", protocol, replicate, *numbers, None, None, 0.005, verdict, reason)

    rows = [
        row("talk", 1),
        row("talk", 2, None, "too few"),
        row("talk", None, "informative"),
        row("noise", 1, None, "none"),
    ]
    [table] = information_tables(frame("information", rows))
    assert [name for name, _ in table.rows] == ["trio/talk", "trio/noise"]
    texts = [cell.text for cell in table.rows[0][1]]
    assert texts[:4] == ["120", "0.5000", "0.4600", "−0.0400"] and texts[5] == "informative"
    assert table.rows[0][1][0].marks == "a" and table.rows[1][1][0].text == "–"
    assert [text for _, text in table.notes] == ["too few", "none"] and "±0.005" in table.caption
    assert "Information of messages" in render(report(information=frame("information", rows)))


def test_failures_have_columns_on_test_and_with_each_ood_set_at_each_ratio():
    settings = copy.deepcopy(SETTINGS)
    assert failure_columns(settings, "toys") == []
    settings["evaluation"]["metrics"] = ["auroc", "fpr95", "failure-aurc"]
    columns = failure_columns(settings, "toys")
    assert [(column.metric, column.split) for column in columns] == [
        ("auroc", "test"),
        ("fpr95", "test"),
        ("failure-aurc", "ood-digits"),
        ("failure-aurc", "ood-digits@50"),
    ]
    rows = [row("ce", 1, "failure-aurc", 0.123, split="ood-digits@50"), row("kd", 1, "accuracy", 0.5)]
    table = numbers_table(numbers_of(with_arms(frame("metrics", rows))), "toys", ["ce", "kd"], columns, "All")
    ((arm, cells),) = table.rows
    assert arm == "ce" and [cell.text for cell in cells] == ["123.00"] and len(table.headings) == 1
