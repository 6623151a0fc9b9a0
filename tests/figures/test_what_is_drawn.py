"""What each kind of figure shows, against values by hand."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from small_figures import (
    ARMS,
    CONTEXT,
    FIRST_INCORRECT,
    KINDS,
    LAST_INCORRECT,
    aurcs,
    compared,
    draw,
    drawn,
    exchanged,
    fidelity,
    metrics,
    metrics_rows,
    settings,
    table,
    texts,
)

from selfdoubt.data import datasets, masks
from selfdoubt.data.datasets import Split
from selfdoubt.data.own_images import positions
from selfdoubt.figures import numbers
from selfdoubt.figures.context import context_of
from selfdoubt.figures.kinds import auroc_accuracy, gain_cost, message_examples
from selfdoubt.figures.kinds.accuracy_ranking import parts_of
from selfdoubt.figures.points import accuracy_and_auroc
from selfdoubt.figures.texts import NothingToShow
from selfdoubt.runtime import methods, table_files
from selfdoubt.runtime.schemas.enhancements import ENHANCEMENTS_SCHEMA
from selfdoubt.runtime.schemas.groups import GROUPS_SCHEMA
from selfdoubt.runtime.schemas.metrics import METRICS_SCHEMA


def test_risk_coverage_ends_at_the_error_rate_and_compares_with_the_first_arm():
    top, bottom = drawn("risk-coverage").axes
    last, first = (line.get_ydata() for line in top.lines)
    assert last[-1] == first[-1] == 25  # one error of four, in percent
    assert first[0] == 100  # the most confident prediction is incorrect
    assert np.all(bottom.lines[0].get_ydata() == 0)
    assert bottom.lines[1].get_ydata() == pytest.approx(first - last)


def test_risk_coverage_averages_over_replicates_and_bands_from_least_to_most():
    figure = draw("risk-coverage", {"ce": [LAST_INCORRECT, FIRST_INCORRECT]})
    top = figure.axes[0]
    assert top.lines[0].get_ydata()[0] == 50  # replicates: 0 and 100 % errors at the lowest coverage
    band = top.collections[0].get_paths()[0].vertices[:, 1]
    assert (band.min(), band.max()) == (0, 100)
    low, high = (1 / 4) / 4, (1 + 1 / 2 + 1 / 3 + 1 / 4) / 4  # AURC
    mean, sd = (low + high) / 2, (high - low) / 2**0.5
    assert any(text.startswith(f"{1000 * mean:.2f} ± {1000 * sd:.2f} ") for text in texts(figure))


def test_reliability_shows_accuracy_gap_and_fraction_of_the_pooled_replicates():
    first = (np.full(5, 0.75), np.array([True, True, True, True, False]))
    second = (np.full(5, 0.75), np.array([True, True, False, False, False]))
    figure = draw("reliability", {"ce": [first, second], "kd": [first, second]})
    top, _, bottom, _ = figure.axes
    accuracy, gap = top.patches
    assert accuracy.get_height() == pytest.approx(60)  # (4 + 2) of 10
    assert gap.get_height() == pytest.approx(75 - 60)
    assert [bar.get_height() for bar in bottom.patches] == [0] * 7 + [100] + [0] * 2
    [ece] = [text for text in top.texts if text.get_text() == "ECE 0.2000 ± 0.2121"]  # |.8 - .75| and |.4 - .75|
    assert ece.get_window_extent().y0 >= top.get_window_extent().y1  # above the axes: on no bar
    assert top.lines[0].get_xydata().tolist() == [[0, 0], [100, 100]]


def test_a_difference_of_augrc_is_split_into_accuracy_and_ranking():
    """By hand, e of .1 and .2, AUROC of .8 and .9: AUGRC of .005 + .09 x .2 = .023 and .02 + .16 x .1 = .036.

    Mean e (1 - e) is .125: the ranking part is -.125 x (.8 - .9) = .0125, and accuracy has the rest of -.013.
    """
    rows = [*metrics_rows("kd", 1, 0.9, 0.8), *metrics_rows("ce", 1, 0.8, 0.9), *metrics_rows("ce", 2, 0.8, 0.9)]
    points = accuracy_and_auroc(pd.DataFrame(rows), settings("accuracy-ranking"))
    found = parts_of(points, "kd", "ce")  # of one replicate, against each of the other's
    assert found["ranking"].tolist() == pytest.approx([12.5] * 2)
    assert found["accuracy"].tolist() == pytest.approx([-25.5] * 2)


def test_gains_stand_over_passes_and_the_line_is_the_best_baseline_by_each_cost():
    axes = drawn("gain-cost").axes[0]
    means = np.concatenate([np.asarray(dots.get_offsets()) for dots in axes.collections[1::2]])
    assert means == pytest.approx(np.array([[9, 4], [3, 5], [2, -1]]))  # by place: the trio, ODIN, the placebo
    line = next(line for line in axes.lines if line.get_label() == "strongest baseline")
    assert line.get_xydata() == pytest.approx(np.array([[1, 0], [9, 4], [9, 4]]))  # a loss is never the best
    assert gain_cost.strongest([(4, 2.0), (1, 0.0), (2, -1.0), (8, 1.0)], 8) == ([1, 4, 8], [0, 2, 2])


def test_an_arm_brings_back_a_fraction_of_what_the_attack_costs():
    axes = drawn("attack-recovery").axes[0]  # 50 clean, 60 attacked, 56 enhanced: 4 of 10; 2 more in the second
    assert [bar.get_width() for bar in axes.patches] == pytest.approx([40])
    assert np.asarray(axes.collections[0].get_offsets())[:, 0] == pytest.approx([40, 40])
    assert any("51.0 clean, 61.0 attacked" in text for text in texts(drawn("attack-recovery")))


def test_auroc_accuracy_excludes_arms_without_auroc_and_gives_the_reason():
    rows = metrics_rows("ce", 1, 0.9, 0.8) + metrics_rows("kd", 1, 1.0, np.nan)
    shown = texts(draw("auroc-accuracy", pd.DataFrame(rows)))
    assert ARMS["ce"] in shown and ARMS["kd"] not in shown
    with pytest.raises(NothingToShow, match=r"no arm has both .* \(no incorrect samples\)"):
        draw("auroc-accuracy", pd.DataFrame(rows[2:]))


def test_auroc_accuracy_shows_its_own_split_and_data_set_and_lists_arms_by_their_place():
    rows = metrics_rows("ce", 1, 0.9, 0.8)
    others = [row | other for row in rows for other in ({"split": "val", "value": 0.5}, {"dataset": "x", "value": 0.1})]
    top = draw("auroc-accuracy", pd.DataFrame(others + rows)).axes[0]
    points = np.concatenate([np.asarray(dots.get_offsets()) for dots in top.collections])
    assert points == pytest.approx(np.array([[90, 80]] * 2))  # the replicate and the mean
    legend = drawn("auroc-accuracy").axes[0].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == [ARMS[arm] for arm in ("ce", "kd", "ce/odin")]


@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("kind", ["risk-coverage", "reliability", "auroc-accuracy"])
def test_one_replicate_is_no_mean_of_several(kind, n):
    """Nor has it a band, a standard deviation or others to be pooled with."""
    data = {"ce": [LAST_INCORRECT] * n, "kd": [FIRST_INCORRECT] * n}
    if kind == "auroc-accuracy":
        data = metrics().query(f"replicate <= {n}")
    shown = " ".join(texts(draw(kind, data))).replace("\u00a0", " ")
    assert ("mean" in shown) == (n > 1) and ("1 replicate" in shown) == (n == 1)


def test_mask_gallery_prints_the_overlap():
    axes = drawn("mask-gallery").axes
    assert [each.get_xlabel() for each in axes[6:]] == ["0.50", "1.00", "1.00"]  # one of two pixels found, then both


def test_mask_gallery_shows_the_images_of_the_masks_replicate(tmp_path):
    labels = np.arange(6) % 2
    images = np.arange(6, dtype=np.uint8)[:, None, None, None] * np.ones((1, 1, 8, 8), np.uint8)
    split = Split(images, labels, np.arange(6, dtype=np.int32))
    datasets.write_splits(tmp_path / "train", {"train": split}, {})
    own = {"replicate": 2, "kind": "disjoint", "n_images": 2}
    rows = positions(labels, **own)
    masks.write_masks(tmp_path / "masks", images[rows, 0] > 0, {})
    paths = [tmp_path / "masks"]
    inputs = SimpleNamespace(images=[tmp_path / "train"], masks=paths, pseudo_masks=paths)
    data = methods.load("figures.kinds", "mask-gallery").read(
        inputs, settings("mask-gallery"), context_of({"mask_truth": "nonzero-pixels", "own_images": own})
    )
    assert data.images[:, 0, 0, 0].tolist() == rows.tolist() and np.array_equal(data.reference, data.predicted)


def test_mask_sheet_shows_images_at_equal_distances_or_the_least_confident(tmp_path):
    images = np.arange(5, dtype=np.uint8)[:, None, None, None] * np.ones((1, 1, 8, 8), np.uint8)
    split = Split(images, np.arange(5) % 2, np.arange(5, dtype=np.int32))
    datasets.write_splits(tmp_path / "train", {"train": split}, {})
    confidence = np.array([0.9, 0.2, 0.8, 0.1, 0.7], np.float32)
    masks.write_masks(tmp_path / "masks", images[:, 0] > 1, {"min_confidence": 0.5}, confidence)
    inputs = SimpleNamespace(images=[tmp_path / "train"], masks=[tmp_path / "masks"])
    kind, found = methods.load("figures.kinds", "mask-sheet"), {}
    for order in ("spread", "least-confident"):
        data = kind.read(inputs, settings("mask-sheet", order=order), context_of({}))
        found[order] = data.images[:, 0, 0, 0].tolist()
        assert data.masks[:, 0, 0].tolist() == [i > 1 for i in found[order]] and data.n_all == 5
        names = ["1", "2", "3"] if order == "spread" else ["0.10", "0.20", "0.70"]
        assert set(names) <= set(texts(draw("mask-sheet", data, order=order)))
        shown = kind.table(data, settings("mask-sheet", order=order), context_of({}))
        assert shown["place"].tolist() == found[order] and shown["covered"].tolist() == [i > 1 for i in found[order]]
    assert found == {"spread": [0, 2, 4], "least-confident": [3, 1, 4]}


def test_enhancement_examples_magnify_the_step_around_grey():
    figure = drawn("enhancement-examples")
    assert len(figure.axes) == 2 * 3 * 2
    step, unchanged = (np.asarray(figure.axes[i].images[0].get_array()) for i in (2, 5))
    np.testing.assert_allclose(step, 0.5 + 63 * 2 / 255, atol=1e-5)  # 63 = floor(127.5 / 2)
    np.testing.assert_allclose(unchanged, 0.5, atol=1e-5)
    assert "0.500 → 0.750" in texts(figure)


def test_persuasion_matrix_averages_replicates_and_is_centred_at_zero():
    true, wrong, _ = drawn("persuasion-matrix").axes
    assert [text.get_text() for text in true.texts] == ["+2.00\n± 1.41"]  # replicates: 1 and 3
    assert [text.get_text() for text in wrong.texts] == ["−1.00"]
    assert [label.get_text() for label in true.get_yticklabels()] == ["A"]  # who sent none has no row
    assert [label.get_text() for label in true.get_xticklabels()] == ["B"]
    assert "n = 20 " in true.get_title(loc="left") and true.images[0].norm(0) == 0.5


def test_a_message_to_two_listeners_is_counted_once():
    rows = [(sender, listener, "true", 1.0, n) for sender, n in (("a", 10), ("b", 7)) for listener in "ab"]
    rows = pd.DataFrame([*rows, *rows], columns=["sender", "listener", "message", "gain", "n"])  # of two replicates
    true, wrong, _ = draw("persuasion-matrix", rows).axes
    assert "n = 34 " in true.get_title(loc="left") and "n = 0 " in wrong.get_title(loc="left")


@pytest.mark.parametrize(("labels", "ends"), [("given", [6, 10]), ("people", [9, 15])])
def test_bars_of_the_oracle_gap_reach_as_far_as_their_positive_parts(labels, ends):
    """ODIN, of e-AURC 0.010: 6 are left in the order of people and 4 gained by it; or 9 + 6 - 4 - 1."""
    axes = draw("oracle-gap", labels=labels).axes[0]
    bars = [bar for bar in axes.patches if round(bar.get_y() + bar.get_height() / 2) == 2]
    assert sorted(bar.get_x() + bar.get_width() for bar in bars if bar.get_width() > 0) == pytest.approx(ends)


def test_generalised_risk_lies_between_an_oracle_and_chance():
    axes = drawn("generalised-risk-coverage").axes[0]  # one error of four: last of ce, first of kd
    ce, kd, chance, oracle = (line.get_xydata() for line in axes.lines)
    assert (ce[-1, 1], kd[-1, 1]) == (25, 25) and ce[300, 1] == 0 and kd[100, 1] == 25  # at 75 and at 25 % coverage
    assert chance.tolist() == [[0, 0], [100, 25]] and oracle.tolist() == [[0, 0], [75, 0], [100, 25]]
    assert any(text.startswith("31.25 ") for text in texts(drawn("generalised-risk-coverage")))  # 1000 × 1/4 × 1/4 / 2


def test_severity_curves_average_corruptions_within_each_replicate():
    ce, kd = drawn("severity-curves").axes[0].lines  # .9 and .91 on test; blur and noise take .015 a severity
    assert ce.get_ydata() == pytest.approx([90.5, 89.0, 86.0]) and kd.get_ydata() == pytest.approx([92.5, 91.0, 88.0])
    found = table("severity-curves").query("arm == 'ce' and severity == 3")
    assert found[["least", "mean", "most"]].to_numpy().tolist() == [pytest.approx([85.5, 86.0, 86.5])]


def test_data_doses_stand_at_the_number_of_training_images():
    points = table("data-dose").set_index(["arm", "n_train_images"])["mean"]
    assert points.to_dict() == pytest.approx({("ce", 100): 51, ("ce", 400): 31, ("kd", 100): 46, ("kd", 400): 29})


def test_histograms_of_test_and_ood_images_share_their_bins():
    found = table("ood-histograms", n_bins=2).query("arm == 'ce'")  # 0 to 3, and -1 to 2, of two replicates
    assert found.groupby("images")["percent"].apply(list).to_dict() == {"test": [25, 75], "ood-digits": [50, 50]}
    assert "AUROC 71.9 ± 0.0 %" in texts(drawn("ood-histograms"))  # 10 of 16 pairs, and half of 3


def test_a_forest_plot_divides_each_difference_by_its_margin_and_draws_better_to_the_right():
    rows = table("forest").to_dict("records")
    assert [(row["metric"], row["verdict"]) for row in rows] == [
        ("aurc", "supported"),
        ("accuracy", None),
        ("accuracy", None),
    ]
    assert [row["margin"] for row in rows] == [0.002, 0.003, 0.003]  # of the config, and of the metric
    axes = drawn("forest").axes[0]
    estimates = [dots.get_offsets()[0, 0] for dots in axes.collections if dots.get_offsets()[0, 1] in (0, 1)][:2]
    assert estimates == pytest.approx([0.004 / 0.002, 0.001 / 0.003])
    assert axes.get_xlim() == (-8, 8)  # the last interval goes on, as an arrow shows
    assert [row["better"] for row in table("forest", exploratory=False).to_dict("records")] == ["kd", "kd"]
    assert [row["metric"] for row in table("forest", metrics=["aurc"]).to_dict("records")] == ["aurc"]


def test_a_forest_plot_has_a_claim_once_though_its_reverse_was_explored():
    data = compared()
    claim = data.comparisons.iloc[:1]
    turned = claim.assign(better=claim["than"], than=claim["better"], hypothesis=None)
    more = data._replace(comparisons=pd.concat([data.comparisons, turned], ignore_index=True))
    shown = methods.load("figures.kinds", "forest").table(more, settings("forest"), CONTEXT)
    assert len(shown) == len(table("forest"))


def test_a_forest_plot_names_few_arms_and_marks_verdicts_over_several_data_sets():
    data = compared()
    several = "kd, ce/odin, ce/random-sign"
    comparisons = data.comparisons.assign(better=data.comparisons["better"].replace("kd", several))
    shown = texts(draw("forest", data._replace(comparisons=comparisons)))
    assert any(text.startswith("KD, τ = $4$ and 2 more − cross-entropy") for text in shown)
    over = data.hypotheses.assign(dataset="toys, games")
    headers = [" ".join(texts(draw("forest", data._replace(hypotheses=each)))) for each in (data.hypotheses, over)]
    assert ["verdicts over all data sets" in header for header in headers] == [False, True]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_gives_its_numbers_as_a_table_of_which_none_is_a_list(kind, tmp_path):
    found = table(kind)
    numbers.write(tmp_path / "table.csv", found)
    again = pd.read_csv(tmp_path / "table.csv")
    assert len(again) == len(found) > 0 and [*again] == [*found]
    assert again.select_dtypes("number").shape[1] > 0
    numbers.write(tmp_path / "again.csv", table(kind))
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "table.csv").read_bytes()


@pytest.mark.parametrize("kind", [auroc_accuracy, gain_cost])
def test_points_are_placed_where_they_are_drawn(kind):
    name = kind.__name__.rpartition(".")[2].replace("_", "-")
    figure, found = drawn(name), table(name)
    placed = numbers.placed(found, figure, *kind.POINTS)
    box = figure.axes[0].get_position()
    assert placed["left_percent"].between(100 * box.x0, 100 * box.x1).all()
    assert placed["top_percent"].between(100 * (1 - box.y1), 100 * (1 - box.y0)).all()
    assert set(placed["replicate"]) == {"1", "2", "mean"}


# ---- of students and their teachers ----


def test_histograms_of_correct_and_incorrect_predictions_add_up_to_the_whole_each():
    axes = drawn("confidence-histograms").axes[0]  # .9, .8, .7 correct and .1 incorrect, in bins of .2
    values = [patch.get_data().values for patch in axes.patches]  # filled, outlined, and of each of two replicates
    correct, incorrect = values[0], values[4]
    assert len(values) == 8 and values[2] == pytest.approx(correct) and values[7] == pytest.approx(incorrect)
    assert correct == pytest.approx([0, 0, 0, 100 / 3, 200 / 3]) and incorrect == pytest.approx([100, 0, 0, 0, 0])
    assert [line.get_xdata()[0] for line in axes.lines] == pytest.approx([80, 10])  # the means


def test_deciles_show_the_mean_difference_from_the_reference_in_points():
    error = drawn("entropy-deciles").axes[0]
    of_kd = error.lines[1].get_xydata()  # after the line of no difference
    assert of_kd == pytest.approx(np.array([(decile, 1.5 * decile) for decile in range(1, 11)]))  # replicates: 1, 2


def test_teacher_quality_ranks_students_and_has_no_correlation_of_two_or_of_equal_ones():
    ece, entropy = drawn("teacher-quality").axes
    small, large = ([np.asarray(dots.get_offsets()) for dots in ece.collections[first::2]] for first in (0, 1))
    assert np.concatenate(large) == pytest.approx(np.array([(0.5, 19.5), (2.5, 17.5), (4.5, 15.5)]))  # ECE, AURC x 1000
    assert small[0] == pytest.approx(np.array([(0, 20), (1, 19)]))  # of each replicate
    assert ece.get_title(loc="right") == "ρ = −1.00" and entropy.get_title(loc="right") == ""
    two = draw("teacher-quality", fidelity().query("student != 'a'")).axes[0]
    assert two.get_title(loc="right") == ""


def test_training_curves_are_means_over_replicates():
    ce, kd = drawn("training-curves").axes[0].lines
    assert ce.get_xydata() == pytest.approx(np.array([(1, 0.55), (2, 0.7)])) and kd.get_ydata()[-1] == 0.9


def test_training_curves_leave_out_epochs_without_a_value_and_mark_a_single_one():
    of_two, of_one = np.array([np.nan, 0.5, np.nan, 0.7]), np.array([np.nan, np.nan, np.nan, 0.4])
    ce, kd = draw("training-curves", data={"ce": [of_two], "kd": [of_one]}).axes[0].lines
    assert ce.get_xdata().tolist() == [2, 4] and ce.get_ydata().tolist() == [0.5, 0.7]
    assert kd.get_xdata().tolist() == [4] and kd.get_marker() == "o"


def test_a_metric_is_drawn_along_the_setting_of_its_arms():
    curve, reference = drawn("metric-along").axes[0].lines
    assert curve.get_xdata().tolist() == [2, 8] and curve.get_ydata() == pytest.approx([46, 48])  # of two replicates
    assert reference.get_ydata() == pytest.approx([51, 51])


def test_messages_that_changed_a_decision_come_first_and_are_explained():
    assert message_examples.chosen(exchanged(), 3).tolist() == [0, 1, 2]
    figure = drawn("message-examples")
    titles = [axes.get_title(loc="left") for axes in figure.axes if axes.get_title(loc="left")]
    assert titles[0] == "B → A: correct" and titles[2] == "A → B: incorrect" and titles[4] == "A → A: correct"
    bars = [patch.get_width() for patch in figure.axes[1].patches[:2]]
    assert bars == pytest.approx([0.4, 0.5])
    assert "+0.60" in [text.get_text() for text in figure.axes[2].texts]


def test_of_a_dialogue_what_each_member_gained_is_shown_in_one_row():
    data = exchanged()
    gains = np.tile([[0.25], [-0.5]], (len(data.labels), 1, 2))[:, :, None]  # (m, 2, 1, M)
    dialogue = replace(data, senders=[message_examples.ALL_IN_TURN], gains=gains)
    figure = draw("message-examples", dialogue)
    matrix = figure.axes[2]
    assert [text.get_text() for text in matrix.texts] == ["+0.75", "+0.75"]
    assert [text.get_text() for text in matrix.get_yticklabels()] == ["all in turn"]


def test_candidates_are_shown_less_the_reference_of_their_replicate():
    for axes in drawn("tuning-curves").axes:  # of ce 50 in the first replicate, 52 in the second
        low, high = axes.lines[:2]
        assert low.get_xdata().tolist() == [1, 2] and low.get_ydata() == pytest.approx([-2, -3])
        assert high.get_ydata() == pytest.approx([0, -1])


def test_passes_of_enhancers_and_of_groups_are_read_from_their_tables(tmp_path):
    paths = {name: [tmp_path / f"{name}.parquet"] for name in ("metrics", "enhancements", "groups")}
    enhanced = {"dataset": "toys", "name": "ce", "replicate": 1, "variant": "odin", "chosen": "{}", "tried": "[]"}
    table_files.write_rows(
        paths["enhancements"][0], [enhanced | {"forwards": 2.0, "backwards": 1.0}], ENHANCEMENTS_SCHEMA, {}
    )
    group = {"dataset": "toys", "group": "trio", "protocol": "persuasion", "replicate": 1, "split": "test", "n": 9}
    quantities = {"forwards": 7.0, "backwards": 2.0, "accuracy": 0.9}
    rows = [group | {"quantity": name, "value": value, "reason": None} for name, value in quantities.items()]
    table_files.write_rows(paths["groups"][0], rows, GROUPS_SCHEMA, {})
    rows = aurcs(ce=50, ce_odin=45, trio_persuasion=46).assign(role="baseline", low=None, high=None, warning=None)
    table_files.write_rows(paths["metrics"][0], rows.to_dict("records"), METRICS_SCHEMA, {})
    found = gain_cost.read(SimpleNamespace(**paths), settings("gain-cost"), CONTEXT)
    arms = ("ce", "ce/odin", "trio/persuasion")
    assert [gain_cost.passes_of(found.passes, "toys", arm) for arm in arms] == [1, 3, 9]
    assert len(draw("gain-cost", found).axes[0].collections) == 4  # replicates and mean of two
