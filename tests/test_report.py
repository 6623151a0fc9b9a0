"""The report: one page with every claim, every figure and every number that does not exist."""

import copy
import re
from dataclasses import replace
from html.parser import HTMLParser

import pandas as pd
import pytest
from matplotlib.figure import Figure

from selfdoubt.errors import UserError
from selfdoubt.figures import save
from selfdoubt.report import ReportData, render
from selfdoubt.report.answers import answers_of
from selfdoubt.report.decisions import decision_tables
from selfdoubt.report.details import comparison_table, cost_table, counts_table, mask_table, missing_table
from selfdoubt.report.enhancements import enhancement_table
from selfdoubt.report.formats import metric_of, number, p_value
from selfdoubt.report.numbers import Column, arm_order, averaged_by_severity, numbers_of, with_arms
from selfdoubt.report.page import what_is
from selfdoubt.report.tables import numbers_table
from selfdoubt.schemas import SCHEMAS

SETTINGS = {
    "datasets": {
        "toys": {"ood": ["digits"], "corruptions": {"names": ["blur", "noise"], "severities": [1, 2], "n_images": 9}}
    },
    "teachers": {"teacher": {"network": "net"}},
    "baselines": {"ce": {"network": "net", "label_smoothing": 0.0}},
    "students": {"kd": {"network": "net", "temperature": 4, "segmenter": None}},
    "enhancers": {"odin": {"method": "odin", "models": ["ce"], "epsilon_255": [1, 2]}},
    "groups": {"pair": {"members": ["ce", "kd"], "protocols": ["mean"]}},
    "protocols": {"mean": {"method": "mean-probability"}},
    "evaluation": {"scores": ["msp", "margin"]},
    "studies": {
        "distillation": {
            "title": "Distillation",
            "question": "Does a student know better?",
            "background": "See Galil et al., https://example.org/paper.",
            "protocol": "Same views.",
            "threats": "One data set.",
            "reference": "ce",
            "arms": ["kd"],
        }
    },
}
STYLE = {"width_mm": 100, "height_mm": 60}
CURVE = {"kind": "risk-coverage", "study": "distillation", "dataset": "toys", "split": "test", "score": "msp"}
GALLERY = {"kind": "mask-gallery", "study": "distillation", "dataset": "toys", "segmenter": "unet", "n_images": 3}
FIGURES = {
    "curves": {"settings": CURVE | {"arms": ["ce", "kd"], "style": STYLE}, "svg": b"<svg/>", "png": b"png"},
    "masks": {"settings": GALLERY | {"style": STYLE}, "svg": b"<svg/>", "png": b"png"},
}


def row(arm: str, seed: int, metric: str, value: float | None, **other) -> dict:
    name, _, variant = arm.partition("/")
    fixed = {"dataset": "toys", "role": "baseline", "split": "test", "n": 100, "low": None, "high": None}
    reason = None if value is not None else "no errors"
    score = "none" if metric == "accuracy" else "msp"
    own = {"name": name, "seed": seed, "variant": variant or "clean", "metric": metric, "value": value}
    return fixed | own | {"score": score, "reason": reason} | other


METRICS = [
    *(row("ce", seed, "accuracy", 0.90 + seed / 100) for seed in (1, 2, 3)),
    *(row("kd", seed, "accuracy", 0.94 + seed / 100) for seed in (1, 2, 3)),
    *(row("ce", seed, "aurc", 0.020) for seed in (1, 2, 3)),
    *(row("kd", seed, "aurc", 0.016) for seed in (1, 2, 3)),
    *(row("ce", seed, "auroc", 0.8) for seed in (1, 2, 3)),
    *(row("kd", seed, "auroc", None if seed == 2 else 0.9) for seed in (1, 2, 3)),
]
COMPARISON = {
    "dataset": "toys",
    "study": "distillation",
    "better": "kd",
    "than": "ce",
    "metric": "aurc",
    "score": "msp",
    "split": "test",
    "difference": -0.004,
    "low": -0.006,
    "high": 0.001,
    "p": 0.04,
    "p_holm": 0.08,
    "effect_size": -1.5,
    "n_seeds": 3,
    "reason": None,
}
HYPOTHESIS = COMPARISON | {
    "hypothesis": "kd-ranks-better",
    "statement": "A student has a lower AURC.",
    "verdict": "inconclusive",
    "n_seeds_needed": 12,
}
COUNTS = [
    ("train", "images", 7, None, None, None),
    ("train", "images", 5, None, 0, "cat"),
    ("train", "images", 2, None, 1, "<dog>"),
    *((split, "images", 4, None, None, None) for split in ("val", "test")),
    *((split, "images", 2, None, label, "cat") for split in ("val", "test") for label in (0, 1)),
    ("test", "duplicates", 3, "of a training image", None, None),
    ("all", "ignored files", 2, "a.txt, <b>.txt", None, None),
]
DECIDED = {  # protocol -> quantity -> value and n of each of two seeds
    "mean": {"accuracy": [(0.9, 100), (0.8, 100)], "fixed": [(3, 100), (6, 100)], "forwards": [(2, 100), (2, 100)]},
    "shout": {"weight": [(-0.5, None), (-1.5, None)], "accuracy-disagreed": [(None, 0), (0.25, 8)]},
    "oracle-selector": {"accuracy": [(0.95, 100), (0.95, 100)], "accuracy-disagreed": [(None, 0), (0.5, 8)]},
}
GROUPS = [
    ("toys", "pair", protocol, seed, "test", quantity, value, n, "no samples" if value is None else None)
    for protocol, quantities in DECIDED.items()
    for quantity, seeds in quantities.items()
    for seed, (value, n) in enumerate(seeds, start=1)
]
COSTS = [("train", "toys/ce/1", 10.0, 9.0, 500.0), ("train", "toys/ce/2", 30.0, 29.0, 700.0)]


def frame(schema: str, rows: list) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=SCHEMAS[schema].names)


def report(**changes) -> ReportData:
    quality = frame("mask-quality", [("mask", "iou", 0.75, 10, None), ("mask", "empty", None, 0, "no images")])
    data = ReportData(
        copy.deepcopy(SETTINGS),
        frame("metrics", METRICS),
        frame("comparisons", [COMPARISON, COMPARISON | {"metric": "ece"}]),
        frame("hypotheses", [HYPOTHESIS]),
        frame("costs", COSTS),
        frame("groups", GROUPS),
        {("toys", "unet"): quality},
        {"toys": frame("data", COUNTS)},
        FIGURES,
        {"commit": "abc123", "versions": {"numpy": "2.4.6"}, "device": "cpu"},
    )
    return replace(data, **changes)


def answer(**changes) -> str:
    hypotheses = frame("hypotheses", [HYPOTHESIS | changes])
    [told] = answers_of(hypotheses, numbers_of(with_arms(frame("metrics", METRICS))), "distillation")
    return told.sentence.replace("\u00a0", " ")


class Balance(HTMLParser):
    """Fails where a tag is closed that is not the last one opened."""

    def __init__(self):
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "link", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_loads_nothing_and_runs_nothing():
    page = render(report())
    for target in re.findall(r"""(?:src|href|srcset|action|data)\s*=\s*["']?([^"'\s>]*)""", page):
        assert target.startswith(("data:", "#")), target
    assert not re.search(r"url\(|@import|<script|<iframe|\bon\w+=", page)
    assert "https://example.org/paper" in page  # a citation stays plain text


def test_the_page_is_well_formed_and_the_same_each_time():
    page, checker = render(report()), Balance()
    checker.feed(page)
    assert checker.open == []
    assert render(report()) == page


def test_text_from_settings_and_tables_is_escaped():
    evil = "<script>alert(1)</script>"
    data = report(hypotheses=frame("hypotheses", [HYPOTHESIS | {"statement": evil, "verdict": evil}]))
    data.settings["studies"]["distillation"] |= dict.fromkeys(("title", "question", "background", "threats"), evil)
    metrics = frame("metrics", [*METRICS, row("ce", 1, "nll", None, reason=evil)])
    page = render(replace(data, metrics=metrics, provenance={"commit": evil, "versions": {evil: evil}}))
    assert "<script" not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 9


def test_every_hypothesis_figure_and_study_occurs():
    page = render(report())
    for text in ("kd-ranks-better", "A student has a lower AURC.", "inconclusive", "Does a student know better?"):
        assert text in page
    assert all(f'id="figure-{name}"' in page for name in FIGURES)
    assert page.count("data:image/svg+xml;base64,PHN2Zy8+") == 1  # curves are drawn, pixels are not
    assert page.count("data:image/png;base64,cG5n") == 1


def test_figures_may_be_paths(tmp_path):
    path = tmp_path / "curves.svg"
    path.write_bytes(b"<svg></svg>")
    page = render(report(figures={"curves": FIGURES["curves"] | {"svg": str(path)}}))
    assert "data:image/svg+xml;base64,PHN2Zz48L3N2Zz4=" in page


def test_a_figure_of_no_known_study_is_shown_all_the_same():
    stray = {"stray": {"settings": FIGURES["curves"]["settings"] | {"study": "gone"}, "svg": b"<svg/>"}}
    page = render(report(figures=stray))
    assert "Further figures" in page and 'id="figure-stray"' in page


def test_missing_parts_leave_their_sections_out():
    settings = {key: SETTINGS[key] for key in ("datasets", "baselines", "evaluation", "studies")}
    empty = {name: frame(name, []) for name in ("comparisons", "hypotheses", "groups", "costs")}
    page = render(report(settings=settings, mask_quality={}, counts={}, figures={}, provenance={}, **empty))
    for heading in ("Masks", "Corrupted images", "Exploratory comparisons", "Hypotheses,", "Cost", "Packages"):
        assert f"<h3>{heading}" not in page
    assert "No hypothesis was written down beforehand" in page and "not under version control" in page
    assert "<h3>Masks" in render(report())  # so the test can fail


def test_a_page_without_any_numbers_renders():
    empty = {name: frame(name, []) for name in ("metrics", "comparisons", "hypotheses", "groups", "costs")}
    assert "Nothing has been measured yet." in render(report(figures={}, mask_quality={}, counts={}, **empty))


def test_the_headline_counts_from_the_tables():
    page = render(report()).replace("\u00a0", " ")
    assert "2 models, 2 arms in all, 3 seeds each, on toys: 18 numbers; 1 hypothesis" in page


def test_a_study_on_two_datasets_has_a_table_and_a_named_answer_for_each():
    second = [line | {"dataset": "games"} for line in METRICS]
    hypotheses = frame("hypotheses", [HYPOTHESIS, HYPOTHESIS | {"dataset": "games"}])
    page = render(report(metrics=frame("metrics", METRICS + second), hypotheses=hypotheses))
    assert "On toys, the reference first." in page and "On games, the reference first." in page
    assert "than that of ce on games, test, score msp" in page


def table_of(*columns: Column, best_of: str = "column"):
    numbers = numbers_of(with_arms(frame("metrics", METRICS)))
    return numbers_table(numbers, "toys", ["ce", "kd"], columns, "All", best_of)


def test_a_cell_is_mean_and_standard_deviation_over_seeds():
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
    assert table.notes == [("a", "no value for seed 2: no errors")]
    assert (
        table.caption == "All. n = 100 images; mean ± standard deviation over 3 seeds. Bold: best mean of the column."
    )
    page = render(report())
    assert "no value for seed 2: no errors" in page and "1\u00a0number of 18 does not exist" in page


def test_an_arm_measured_with_fewer_seeds_says_so():
    numbers = numbers_of(with_arms(frame("metrics", METRICS[:5])))
    table = numbers_table(numbers, "toys", ["ce", "kd"], [Column("accuracy")], "All")
    assert table.notes == [("a", "2 of 3\u00a0seeds measured")]


def test_missing_numbers_are_grouped_by_arm_split_and_reason():
    rows = [row("ce", seed, metric, None) for seed in (1, 2) for metric in ("auroc", "naurc")]
    [(arm, cells)] = missing_table(with_arms(frame("metrics", rows))).rows
    assert [arm, *(cell.text for cell in cells)] == ["ce", "test", "auroc and naurc", "msp", "1 and 2", "no errors"]
    assert missing_table(with_arms(frame("metrics", METRICS[:1]))) is None


def test_corruptions_are_averaged_within_a_seed():
    values = [(1, "blur", 0.5), (1, "noise", 0.7), (2, "blur", 0.7), (2, "noise", 0.9)]
    rows = [row("ce", seed, "accuracy", value, split=f"{name}-1") for seed, name, value in values]
    rows.append(row("kd", 1, "accuracy", None, split="blur-1"))
    averaged = averaged_by_severity(numbers_of(with_arms(frame("metrics", rows))), "toys", ["blur", "noise"], [1, 2])
    ce = averaged["toys", "ce", "severity-1", "accuracy", "none"]
    [kd] = averaged["toys", "kd", "severity-1", "accuracy", "none"]
    assert [(value.seed, pytest.approx(value.value)) for value in ce] == [(1, 0.6), (2, 0.8)]
    assert kd.value is None and kd.reason == "one corruption has none: no errors"


def test_arms_stand_in_the_order_of_the_settings():
    arms = ["pair/mean", "kd", "ce/odin", "unknown", "ce", "teacher"]
    table = with_arms(frame("metrics", [row(arm, 1, "accuracy", 0.9) for arm in arms]))
    assert arm_order(table, SETTINGS) == ["teacher", "ce", "ce/odin", "kd", "pair/mean", "unknown"]


def test_an_arm_is_told_by_its_settings():
    assert what_is("kd", SETTINGS) == "network net; temperature 4"
    assert what_is("ce/odin", SETTINGS) == "model ce; method odin; epsilon 255 1, 2"
    assert what_is("pair/mean", SETTINGS) == "members ce, kd; method mean-probability"


def test_a_sentence_has_effect_interval_seeds_and_p():
    assert answer() == (
        "AURC of kd is 4.00×10⁻³ lower than that of ce on test, score msp (×10³: kd 16.00 ± 0.00, ce 20.00 ± 0.00). "
        "95 % interval −6.00 to +1.00×10⁻³; 3 seeds, effect size −1.50; Holm-corrected p = 0.08. "
        "At this difference and spread about 12 seeds would tell."
    )


def test_a_difference_of_fractions_is_in_percentage_points():
    told = answer(metric="accuracy", score="none", difference=0.04, low=0.01, high=0.07, verdict="supported")
    assert told.startswith(
        "Accuracy of kd is 4.00 percentage points higher than that of ce on test (kd 0.9600 ± 0.0100"
    )
    assert "95 % interval +1.00 to +7.00 points; 3 seeds" in told
    assert "would tell" not in told


def test_seeds_that_would_never_tell_and_differences_that_do_not_exist():
    assert "no number of seeds that would tell can be estimated" in answer(n_seeds_needed=None)
    told = answer(metric="auroc", difference=None, low=None, high=None, p=None, p_holm=None)
    assert told == "The difference in AUROC on test, score msp does not exist (kd: no errors)."


def test_where_enough_seeds_did_not_tell_the_reason_is_named():
    within = answer(n_seeds_needed=3)
    assert within.endswith(
        "By the spread over seeds alone 3 would do, but the interval, which resamples test images too, includes zero."
    )
    beyond = answer(n_seeds_needed=2, high=-0.001)
    assert (
        "By the spread over seeds alone 2 would do, but the p corrected for all hypotheses of the study is not"
        in beyond
    )
    assert beyond.endswith("below 0.05 (uncorrected p = 0.04).")


def test_one_seed_tells_of_two_models_that_were_trained_elsewhere_and_of_no_others():
    told = answer(low=-0.004, high=-0.001, verdict="supported", n_seeds=1)
    assert told.endswith("Trained elsewhere, once: this is known of these two models, not of the way they were made.")
    told = answer(low=-0.004, high=-0.001, verdict="inconclusive", n_seeds=1)
    assert told.endswith("One seed: nothing is known of the next one, so there is no verdict.")
    for text in (answer(low=-0.004, high=-0.001, verdict="supported"), answer()):
        assert "One seed" not in text and "once" not in text


def test_a_difference_below_the_last_digit_is_not_told_as_zero():
    told = answer(difference=-1e-7)
    assert told.startswith("AURC of kd is less than 0.01×10⁻³ lower than that of ce")


def test_a_comparison_has_its_unit_and_interval():
    table = comparison_table(frame("comparisons", [COMPARISON]), frame("hypotheses", []), "distillation")
    [(label, cells)] = table.rows
    texts = [cell.text.replace("\u00a0", " ") for cell in cells]
    assert label == "kd − ce" and len(table.headings) == len(texts)
    assert texts == ["AURC ↓", "×10⁻³", "msp", "test", "−4.00", "−6.00 to +1.00", "−1.50", "0.04", "0.08"]
    assert table.caption.endswith("within the study. Seeds: 3.")


def test_numbers_of_seeds_that_differ_have_a_column():
    rows = frame("comparisons", [COMPARISON, COMPARISON | {"than": "teacher", "n_seeds": 1}])
    table = comparison_table(rows, frame("hypotheses", []), "distillation")
    assert table.headings[-1] == "seeds" and [cells[-1].text for _, cells in table.rows] == ["3", "1"]
    assert "Seeds:" not in table.caption


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
    assert rows["shout"][1] == ("0.2500", "")  # one seed has none, which the note says
    assert table.notes == [("a", "no samples")] and table.rows[0][1][1].marks == "a"
    caption = table.caption.replace("\u00a0", " ")
    assert "What pair decides on toys, test (n = 100 images, on 4 ± 6 of which its members disagree)" in caption
    assert "mean ± standard deviation over 2 seeds" in caption


def test_decisions_stand_with_the_studies_that_have_arms_of_the_group():
    data = report()
    assert decision_tables(data.groups, ["ce", "kd"]) == decision_tables(data.groups, ["pair/gone"]) == []
    assert "errors fixed" not in render(data)
    data.settings["studies"]["distillation"]["arms"].append("pair/mean")
    assert "errors fixed" in render(data)


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


@pytest.mark.parametrize("kind", ["svg", "pdf", "png"])
def test_a_picture_that_was_cut_off_is_named_in_each_format(tmp_path, kind):
    paths = {suffix: tmp_path / f"curves.{suffix}" for suffix in ("svg", "pdf", "png")}
    save(Figure(), paths.values())
    given, whole = {"curves": FIGURES["curves"] | paths}, paths[kind].read_bytes()
    assert "data:image/svg+xml;base64," in render(report(figures=given))
    for kept in (0, 5, len(whole) // 2, len(whole) - 3):
        paths[kind].write_bytes(whole[:kept])
        with pytest.raises(UserError, match=rf"curves\.{kind}: not a whole {kind} file; delete it and run"):
            render(report(figures=given))


# ---- enhancers ----

CHOSEN = [
    ("toys", "ce", 1, "odin", '{"epsilon_255": 1, "method": "odin", "precision": "float32"}', 2.0, 1.0),
    ("toys", "ce", 2, "odin", '{"epsilon_255": 0.5, "method": "odin", "precision": "float32"}', 2.5, 1.0),
    ("toys", "kd", 1, "odin", '{"epsilon_255": 1, "method": "odin", "precision": "float32"}', 2.0, 1.0),
]


def test_what_was_chosen_stands_with_what_it_costs():
    table = enhancement_table(frame("enhancements", CHOSEN), SETTINGS, ["ce", "ce/odin"])
    assert table.headings == ["method", "seed 1", "seed 2", "forwards", "backwards"]
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


def test_what_was_chosen_is_on_the_page_of_its_study():
    settings = copy.deepcopy(SETTINGS)
    settings["studies"]["distillation"]["arms"].append("ce/odin")
    assert "ε 0.5/255" in render(report(settings=settings, enhancements=frame("enhancements", CHOSEN)))
    assert "ε 0.5/255" not in render(report(enhancements=frame("enhancements", CHOSEN)))


def test_a_bound_is_marked_and_never_best():
    numbers = numbers_of(with_arms(frame("metrics", METRICS)))
    columns = [Column("accuracy"), Column("aurc", "msp")]
    free = numbers_table(numbers, "toys", ["ce", "kd"], columns, "All")
    bound = numbers_table(numbers, "toys", ["ce", "kd"], columns, "All", bounds=["kd"])
    assert [[cell.best for cell in cells] for _, cells in free.rows] == [[False, False], [True, True]]
    assert [arm for arm, _ in bound.rows] == ["ce", "kd (bound)"]
    assert not any(cell.best for cell in bound.rows[1][1])
    told = " kd reads the true labels: a bound to hold others against, never a contender."
    assert bound.caption == free.caption + told


def test_the_page_says_of_a_bound_what_it_is_wherever_it_stands():
    told = "kd reads the true labels: a bound"
    assert render(report(bounds=["kd"])).count(told) >= 4  # among the arms, under figure, table and comparisons
    assert told not in render(report())


@pytest.mark.parametrize(
    ("settings", "is_told"),
    [
        ({"kind": "auroc-accuracy", "score": "msp", "arms": []}, True),  # of all arms
        ({"kind": "auroc-accuracy", "score": "msp", "arms": ["ce"]}, False),
        ({"kind": "enhancement-examples", "model": "ce", "seed": 1, "enhancers": ["oracle"], "n_images": 2}, True),
        ({"kind": "enhancement-examples", "model": "ce", "seed": 1, "enhancers": ["odin"], "n_images": 2}, False),
    ],
)
def test_a_figure_says_that_it_shows_a_bound(settings, is_told):
    place = {"study": "distillation", "dataset": "toys", "split": "test", "style": STYLE}
    figures = {"one": {"settings": settings | place, "svg": b"<svg/>", "png": b"png"}}
    page = render(report(figures=figures, bounds=["ce/oracle"]))
    assert ("ce/oracle reads the true labels" in page) == is_told
