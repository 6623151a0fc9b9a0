"""The report: one page with every claim, every figure and every number that does not exist."""

import copy
import re
import subprocess
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from matplotlib.figure import Figure
from small_report import CHOSEN, COMPARISON, FIGURES, HYPOTHESIS, METRICS, SETTINGS, frame, report, row

from render_report import registration_of
from selfdoubt.figures.style import save
from selfdoubt.report.arms import Arms
from selfdoubt.report.group_tables import group_tables
from selfdoubt.report.inputs import Registration
from selfdoubt.report.page import render
from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.rounds import Round

KEPT = Registration("a.registered.json", "abc1234 of 2026-11-29", [])


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


def test_text_from_settings_tables_and_labels_is_escaped():
    evil = "<script>alert(1)</script>"
    data = report(hypotheses=frame("hypotheses", [HYPOTHESIS | {"statement": evil, "hypothesis": evil}]))
    data.settings["studies"]["distillation"] |= dict.fromkeys(("title", "question", "background", "threats"), evil)
    metrics = frame("metrics", [*METRICS, row("ce", 1, "nll", None, reason=evil)])
    provenance = {"commit": evil, "versions": {evil: evil}}
    page = render(replace(data, metrics=metrics, provenance=provenance, arms=Arms({"kd": evil})))
    assert "<script" not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 16


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


@pytest.mark.parametrize("n", [1, 2])
def test_nothing_on_the_page_is_a_mean_over_one_replicate(n):
    metrics, comparisons = (frame("metrics", METRICS), frame("comparisons", [COMPARISON | {"n_replicates": n}]))
    page = render(report(metrics=metrics[metrics.replicate <= n], comparisons=comparisons))
    for text in ("Lines are means over replicates", "paired by replicate"):
        assert (text in page) == (n > 1), text


def test_a_figure_of_no_known_study_is_shown_all_the_same():
    stray = {"stray": {"settings": FIGURES["curves"]["settings"] | {"study": "gone"}, "svg": b"<svg/>"}}
    page = render(report(figures=stray))
    assert "Further figures" in page and 'id="figure-stray"' in page


def test_missing_parts_leave_their_sections_out():
    settings = {key: SETTINGS[key] for key in ("datasets", "baselines", "evaluation", "studies")}
    empty = {name: frame(name, []) for name in ("comparisons", "hypotheses", "groups", "costs")}
    page = render(report(settings=settings, mask_quality={}, counts={}, figures={}, provenance={}, **empty))
    for heading in (
        "Masks",
        "Corrupted images",
        "Exploratory comparisons",
        "Hypotheses",
        "Cost",
        "Packages",
    ):
        assert f"<h3>{heading}" not in page
    assert "not under version control" in page
    assert "<h3>Masks" in render(report())  # so the test can fail


def test_a_page_without_any_numbers_renders():
    empty = {name: frame(name, []) for name in ("metrics", "comparisons", "hypotheses", "groups", "costs")}
    assert "Nothing has been measured yet." in render(report(figures={}, mask_quality={}, counts={}, **empty))


def test_the_headline_counts_from_the_tables():
    page = render(report()).replace("\u00a0", " ")
    for count in ("2 models", "2 arms", "3 replicates", "18 numbers", "1 hypothesis", "1 inconclusive"):
        assert count in page


def test_a_hypothesis_whose_numbers_were_known_stands_apart_and_is_not_called_registered():
    hypotheses = [HYPOTHESIS, HYPOTHESIS | {"hypothesis": "seen", "registered": False}]
    page = render(report(hypotheses=frame("hypotheses", hypotheses), registration=KEPT)).replace("\u00a0", " ")
    registered, described = page.index("<h3>Pre-registered hyp"), page.index("<h3>Hypotheses whose numbers were known")
    assert registered < page.index("kd-ranks-better · toys") < described < page.index("seen · toys")
    assert "2 hypotheses, 1 of them pre-registered" in page
    alone = render(report(hypotheses=frame("hypotheses", hypotheses[1:]), registration=KEPT))
    assert "<h3>Pre-registered" not in alone and "none of them pre-registered" in alone


@pytest.mark.parametrize(
    "registration",
    [None, replace(KEPT, commit=None), replace(KEPT, differences=["replicates"]), replace(KEPT, evaluated_before=2)],
)
def test_without_a_committed_registration_that_was_kept_nothing_is_called_registered(registration):
    hypotheses = frame("hypotheses", [HYPOTHESIS])
    assert "<h3>Pre-registered hyp" in render(report(hypotheses=hypotheses, registration=KEPT))
    page = render(report(hypotheses=hypotheses, registration=registration))
    assert "re-registered hyp" not in page and "<h3>Hypotheses</h3>" in page


def test_a_study_on_two_datasets_has_a_table_and_a_named_answer_for_each():
    second = [line | {"dataset": "games"} for line in METRICS]
    hypotheses = frame("hypotheses", [HYPOTHESIS, HYPOTHESIS | {"dataset": "games"}])
    page = render(report(metrics=frame("metrics", METRICS + second), hypotheses=hypotheses))
    assert "On toys, the reference first." in page and "On games, the reference first." in page
    assert "than that of ce on games, test, score msp" in page


def test_decisions_stand_with_the_studies_that_have_arms_of_the_group():
    data = report()
    assert group_tables(data.groups, ["ce", "kd"]) == group_tables(data.groups, ["pair/gone"]) == []
    assert "errors fixed" not in render(data)
    data.settings["studies"]["distillation"]["arms"].append("pair/mean")
    assert "errors fixed" in render(data)


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


def test_what_was_chosen_is_on_the_page_of_its_study():
    settings = copy.deepcopy(SETTINGS)
    settings["studies"]["distillation"]["arms"].append("ce/odin")
    assert "ε 0.5/255" in render(report(settings=settings, enhancements=frame("enhancements", CHOSEN)))
    assert "ε 0.5/255" not in render(report(enhancements=frame("enhancements", CHOSEN)))


def test_an_arm_is_shown_by_its_label_everywhere_and_by_its_name_among_the_settings():
    page = render(report(arms=Arms({"kd": "KD of four"})))
    assert page.count("KD of four") >= 8  # verdict twice, settings, figure, tables, comparisons
    found = re.findall(r">[^<]*\bkd\b[^<]*<", page.partition("<pre")[0])
    assert found == [">kd<", ">kd-ranks-better \u00b7 toys \u00b7 secondary \u00b7 KD of four − ce<"]


def test_the_page_names_upper_bounds_wherever_they_stand():
    warning = "kd uses true labels or true masks"
    figures = {"curves": FIGURES["curves"] | {"upper_bounds": ["kd"]}, "masks": FIGURES["masks"]}
    page = render(report(arms=Arms(upper_bounds=frozenset(["kd"])), figures=figures))
    assert page.count(warning) >= 4  # among the arms, under figure, table and comparisons
    assert warning not in render(report()) and "masks</span> Masks" in page


def test_what_is_left_out_stands_at_its_study_and_what_is_missing_as_a_whole_at_the_top():
    notes = {"distillation": ["kd is left out: its loss is <nan>."], "": ["The study x is left out."]}
    page = render(report(left_out=notes))
    top, study = page.partition('class="study')[::2]
    assert "The study x is left out." in top and "something is left out" in top
    assert "kd is left out: its loss is &lt;nan&gt;." in study and "The study x" not in study


def test_an_arm_without_any_number_stops_nothing():
    settings = copy.deepcopy(SETTINGS)
    settings["studies"]["distillation"]["arms"] += ["gone", "ce/gone"]
    assert "Settings of the 4 arms" in render(report(settings=settings))


# ---- registration ----


def test_the_page_states_whether_what_was_evaluated_is_what_was_registered_and_when():
    assert "Registered in" not in render(report())
    kept = render(report(registration=KEPT))
    assert kept.count("Registered in a.registered.json, in commit abc1234 of 2026-11-29.") == 2  # claims, provenance
    assert "are those that were registered" in kept
    changed = render(report(registration=Registration("a.registered.json", None, ["hypotheses.kd.margin"])))
    assert "not committed" in changed and "Not as registered: hypotheses.kd.margin." in changed


def test_the_page_names_the_round_and_the_commits_of_those_before_it():
    second = replace(KEPT, rounds=[Round("distillation", 2, 3, ("123 of 2026-01-02",))])
    assert second.holds and "distillation: round 2 of 3" in second.sentence and "123 of 2026" in second.sentence
    unknown = replace(KEPT, rounds=[Round("distillation", 2, 3, ())])
    assert not unknown.holds and "not recorded" in unknown.sentence


def test_a_registration_has_the_commit_of_its_file_as_long_as_that_is_unchanged(tmp_path):
    path = tmp_path / "study.registered.json"
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b"]
    path.write_text('{"replicates": [1], "digest": "d"}')
    subprocess.run([*git, "init", "--quiet"], check=True)
    assert registration_of(path, {"replicates": [1]}).commit is None
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "--quiet", "-m", "registered"], check=True)
    found = registration_of(path, {"replicates": [1, 2], "digest": "e"})
    assert " of 20" in found.commit and found.differences == ["replicates"]
    path.write_text('{"replicates": [1, 2]}')
    assert registration_of(path, {"replicates": [1, 2]}).commit is None


# ---- warnings ----


def warned(**changes) -> str:
    """A page whose model kd, masks and claim are warned of; masks are shown by a figure of the study."""
    metrics = [row | ({"warning": "no <better>"} if row["name"] == "kd" else {}) for row in METRICS]
    tables = {"metrics": metrics, "hypotheses": [HYPOTHESIS | {"warning": "3 incorrect images"}]}
    quality = frame(
        "mask-quality", [("mask", "empty", 9, 10, None, "9 of 10 masks"), ("mask", "full", 0, 10, None, None)]
    )
    data = report(
        **{name: frame(name, rows) for name, rows in tables.items()}, mask_quality={("toys", "unet"): [quality]}
    )
    data.settings["figures"] = {"masks": {"study": "distillation", "segmenter": "unet"}}
    return render(replace(data, **changes)).replace("\u00a0", " ")


def test_warnings_stand_at_the_top_at_the_study_and_at_what_they_are_about():
    page = warned()
    top, study = page.partition('class="study')[::2]
    assert top.count("kd on toys: no &lt;better&gt;.") == top.count("masks of unet on toys: 9 of 10 masks.") == 1
    assert top.count("kd-ranks-better on toys: 3 incorrect images.") == 1
    assert study.count("kd on toys: no &lt;better&gt;.") == study.count("masks of unet on toys: 9 of 10 masks.") == 1
    assert (
        top.count("Warning: 3 incorrect images.") == 0 and study.count("Warning: 3 incorrect images.") == 1
    )  # of the verdict
    assert study.count("Warning, mask: 9 of 10 masks.") == 2  # the caption, read out for the table too
    checker = Balance()
    checker.feed(page)
    assert checker.open == []
    assert "<h3>Warnings" not in render(report())


def test_a_warning_about_some_replicates_gives_their_number():
    metrics = [row | ({"warning": "bad"} if row["name"] == "kd" and row["replicate"] < 3 else {}) for row in METRICS]
    assert "kd (2 of 3 replicates) on toys: bad." in warned(metrics=frame("metrics", metrics))


def test_a_study_is_warned_of_its_own_arms_alone():
    data = [row | {"warning": "bad"} for row in METRICS]
    settings = copy.deepcopy(SETTINGS)
    settings["studies"]["distillation"] |= {"arms": ["ce/odin"]}
    page = warned(metrics=frame("metrics", data), settings=settings, hypotheses=frame("hypotheses", []))
    top, study = page.partition('class="study')[::2]
    assert "ce and kd on toys: bad." in top and "kd on toys: bad." not in study and "ce on toys: bad." in study


def test_a_study_is_not_warned_of_what_is_not_its_own():
    data = [row | ({"warning": "bad"} if row["name"] == "kd" else {}) for row in METRICS]
    settings = copy.deepcopy(SETTINGS)
    settings["studies"]["distillation"] |= {"arms": ["ce/odin"]}
    empty = frame("hypotheses", [])
    page = warned(metrics=frame("metrics", data), settings=settings, hypotheses=empty)
    top, study = page.partition('class="study')[::2]
    assert "kd on toys: bad." in top and "kd on toys: bad." not in study and "Warnings" not in study


def test_claims_of_replicates_that_share_their_images_are_conditional_on_them():
    conditional = "All replicates train on the same images of toys: claims are conditional on this training pool."
    settings = copy.deepcopy(SETTINGS)
    settings["datasets"]["toys"]["train_images_per_replicate"] = 9
    assert conditional in render(report()) and conditional not in render(replace(report(), settings=settings))


def test_looks_of_a_sequential_study_are_named_with_their_level():
    settings = copy.deepcopy(SETTINGS) | {"looks": [10, 20, 30], "look": {"distillation": 2}}
    claims = frame("hypotheses", [HYPOTHESIS | {"alpha": 0.01875}])
    page = render(report(settings=settings, hypotheses=claims))
    assert "tested after 10, 20 and 30 replicates" in page and "at a level of 0.01875" in page and "look 2 of 3" in page
    assert "replicates, until" not in render(report())


def test_a_check_of_masks_is_shown_and_its_segmenter_is_no_arm():
    masks = {"hypothesis": "masks", "role": "check", "metric": "mask-iou", "score": "none", "split": "train"}
    masks |= {"better": "unet", "than": "centred-box", "difference": 0.3, "low": 0.2, "high": 0.4, "margin": 0.01}
    masks |= {"low_family": 0.2, "high_family": 0.4, "p": 0.001, "p_holm": 0.001, "verdict": "supported"}
    claims = frame("hypotheses", [HYPOTHESIS | masks, HYPOTHESIS])
    page = render(report(hypotheses=claims)).replace("\u00a0", " ")
    assert "Mask IoU of unet is 30.00 percentage points higher than that of centred-box on train." in page
    assert "Settings of the 2 arms" in page


def test_a_claim_about_gains_is_shown_and_is_no_arms():
    gains = {
        "hypothesis": "informed",
        "metric": "contested-nll",
        "score": "none",
        "difference": -0.001,
        "margin": 0.005,
    }
    gains |= {"better": "trio/talk", "than": "members-predictions", "low": -0.003, "high": 0.001, "low_family": -0.003}
    gains |= {"high_family": 0.001, "p": 0.3, "p_holm": 0.3, "verdict": "negligible", "p_negligible_holm": 0.001}
    page = render(report(hypotheses=frame("hypotheses", [HYPOTHESIS | gains, HYPOTHESIS]))).replace("\u00a0", " ")
    assert (
        "NLL of contested images of trio/talk is 0.0010 nats lower than that of predictions of the members on test."
        in page
    )
    assert "margin 0.0050 nats" in page and "Settings of the 2 arms" in page


def test_overlapping_draws_are_named_with_what_they_do_to_the_variance():
    settings = copy.deepcopy(SETTINGS)
    settings["datasets"]["toys"] |= {"train_images_per_replicate": 2, "overlapping_draws": True}
    page = render(report(settings=settings)).replace(
        "\u00a0", " "
    )  # 2 of 7 images: with 3 replicates 1 + 3 (2 / 7) / (5 / 7) = 2.2
    assert "Draws of toys overlap: each replicate trains on 2 of the same 7 images" in page
    assert "ρ = 0.29" in page and "by 2.20 of 3 replicates" in page and "conditional on this" not in page


def test_one_warning_of_masks_in_several_replicates_is_shown_once():
    row = ("pseudo-mask", "iou", 0.4, 10, None)
    of_each = [frame("mask-quality", [(*row, "no nearer")]), frame("mask-quality", [(*row, "no nearer")])]
    page = warned(mask_quality={("toys", "unet"): [*of_each, frame("mask-quality", [(*row, None)])]})
    top = page.partition('class="study')[0]
    assert top.count("pseudo-masks of unet on toys (2 of 3 replicates): no nearer.") == 1
    assert page.count("Warning, pseudo-mask: no nearer.") == 2  # the caption, read out for the table too
