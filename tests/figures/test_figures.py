"""Figures: what is drawn, that it can be read, and that equal data give equal bytes."""

import subprocess
import sys
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from selfdoubt.figures import plots
from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.upper_bounds import marked

STYLE = SimpleNamespace(width_mm=150, height_mm=80)
CURVE = SimpleNamespace(dataset="toys", split="test", score="msp", style=STYLE)
BINS = SimpleNamespace(dataset="toys", split="test", n_bins=10, style=STYLE)
GALLERY = SimpleNamespace(dataset="toys", segmenter="unet", n_images=3, style=STYLE)
EXAMPLES = SimpleNamespace(dataset="toys", model="ce", replicate=1, n_images=2, style=STYLE)
MATRIX = SimpleNamespace(dataset="toys", group="trio", protocol="persuasion", style=STYLE)

SURE_AND_RIGHT = (np.array([0.9, 0.8, 0.7, 0.1]), np.array([True, True, True, False]))
SURE_AND_WRONG = (np.array([0.9, 0.8, 0.7, 0.1]), np.array([False, True, True, True]))


def metrics_rows(arm: str, replicate: int, accuracy: float, auroc: float) -> list[dict]:
    name, _, variant = arm.partition("/")
    row = {
        "dataset": "toys",
        "name": name,
        "replicate": replicate,
        "variant": variant or "clean",
        "split": "test",
        "n": 100,
    }
    return [
        row | {"metric": "accuracy", "score": "none", "value": accuracy},
        row | {"metric": "auroc", "score": "msp", "value": auroc},
    ]


def crowd() -> pd.DataFrame:
    """Eight arms so close that their names would lie upon one another."""
    names = ["ce", "ce/odin", "ce/anti-adversary", "ce/random-sign", "kd", "cutmix", "teacher", "trio/mean-probability"]
    rows = [
        metrics_rows(name, replicate, 0.9 + i // 4 / 50, 0.8) for i, name in enumerate(names) for replicate in (1, 2)
    ]
    return pd.DataFrame([row for pair in rows for row in pair])


def gallery() -> plots.MaskGallery:
    reference = np.zeros((3, 8, 8), bool)
    reference[:, 0, :2] = True
    predicted = reference.copy()
    predicted[0, 0, 1] = False
    return plots.MaskGallery(np.full((3, 1, 8, 8), 200, np.uint8), reference, predicted, "truth")


def examples() -> dict[str, plots.EnhancementExamples]:
    clean = np.full((2, 1, 8, 8), 51, np.uint8)
    enhanced = np.full((2, 1, 8, 8), 0.2, np.float32)
    enhanced[0] += np.float32(2 / 255)
    before, after = np.array([0.5, 0.9]), np.array([0.75, 0.9])
    return {
        "odin": plots.EnhancementExamples(clean, enhanced, before, after, 2),
        "random-sign": plots.EnhancementExamples(clean, enhanced, before, after, 2),
    }


def persuasion() -> pd.DataFrame:
    rows = [("a", "b", "true", 1.0, 10), ("a", "b", "true", 3.0, 10), ("a", "b", "wrong", -1.0, 5)]
    return pd.DataFrame(rows, columns=["sender", "listener", "message", "gain", "n"])


LABELS = SimpleNamespace(dataset="toys", style=STYLE)
SIZES = SimpleNamespace(dataset="toys", split="test", score="msp", n_bins=2, style=STYLE)


def labels(error: float | None = 0.19) -> dict:
    return {"weight-mean": 0.7, "weight-sd": 0.2, "label-error": error, "ghost-labels": 0.3, "nothing-visible": 0.0}


def sized() -> plots.SizedRuns:
    """The two small objects are the first and the last; kd is right of one more of them, and else as ce."""
    confidence, right = np.array([0.9, 0.8, 0.7, 0.6]), np.array([True, True, False, False])
    kd = (confidence, np.array([True, True, False, True]))
    return plots.SizedRuns({"ce": [(confidence, right)], "kd": [kd]}, np.array([0.1, 0.3, 0.4, 0.2]))


DRAWN = {
    "risk-coverage": lambda: plots.risk_coverage({"ce": [SURE_AND_RIGHT], "kd": [SURE_AND_WRONG]}, CURVE),
    "reliability": lambda: plots.reliability({"ce": [SURE_AND_RIGHT] * 2, "kd": [SURE_AND_WRONG] * 2}, BINS),
    "auroc-accuracy": lambda: plots.auroc_accuracy(crowd(), CURVE),
    "mask-gallery": lambda: plots.mask_gallery(gallery(), GALLERY),
    "enhancement-examples": lambda: plots.enhancement_examples(examples(), EXAMPLES),
    "persuasion-matrix": lambda: plots.persuasion_matrix(persuasion(), MATRIX),
    "mixed-labels": lambda: plots.mixed_labels({"a": [labels(), labels(0.21)], "b": [labels(None)] * 2}, LABELS),
    "object-size": lambda: plots.object_size(sized(), SIZES),
}


def texts(figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def test_every_kind_is_tested():
    assert DRAWN.keys() == plots.FIGURES.keys()


@cache
def drawn(kind: str):
    return DRAWN[kind]()


def saved(figure, path: Path) -> bytes:
    plots.save(figure, [path])
    return path.read_bytes()


@pytest.mark.parametrize("kind", DRAWN)
def test_equal_data_give_equal_bytes(kind, tmp_path):
    assert saved(drawn(kind), tmp_path / "figure.svg") == saved(DRAWN[kind](), tmp_path / "figure.svg")


@pytest.mark.parametrize("suffix", ["svg", "pdf", "png"])
def test_saving_twice_gives_equal_bytes_and_leaves_nothing_else(suffix, tmp_path):
    figure = drawn("reliability")
    assert saved(figure, tmp_path / f"first.{suffix}") == saved(figure, tmp_path / f"second.{suffix}")
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"first.{suffix}", f"second.{suffix}"]


@pytest.mark.parametrize("kind", DRAWN)
def test_all_text_is_large_enough_and_inside_a_figure_of_the_set_size(kind):
    figure = drawn(kind)
    width, height = figure.get_size_inches()
    box = figure.get_tightbbox()  # in inches, of all that is visible
    assert (25.4 * width, 25.4 * height) == pytest.approx((150, 80))
    assert box.x0 >= -0.01 and box.y0 >= -0.01 and box.x1 <= width + 0.01 and box.y1 <= height + 0.01
    assert min(text.get_fontsize() for text in figure.findobj(Text) if text.get_text()) >= 7


def test_drawing_and_saving_leave_the_global_style_alone(tmp_path):
    before = mpl.rcParams.copy()
    saved(plots.risk_coverage({"ce": [SURE_AND_RIGHT]}, CURVE), tmp_path / "figure.svg")
    assert mpl.rcParams.copy() == before


def test_the_import_brings_neither_torch_nor_pyplot():
    code = "import sys, selfdoubt.figures, selfdoubt.report; print({'torch', 'matplotlib.pyplot'} & {*sys.modules})"
    path = str(Path(plots.__file__).parents[2])
    shown = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": path}, capture_output=True, text=True)
    assert shown.stdout.strip() == "set()", shown.stderr


def test_looks_depend_on_the_place_in_the_list_and_differ():
    names = [f"arm-{i}" for i in range(24)]
    looks = plots.arm_looks(names)
    assert len({(look.colour, look.dashes, look.marker) for look in looks.values()}) == 24
    assert plots.arm_looks(names[:3]) == {name: looks[name] for name in names[:3]}


def test_a_handed_in_look_is_used():
    looks = plots.arm_looks(["teacher", "kd", "ce"])
    top = plots.risk_coverage({"ce": [SURE_AND_RIGHT]}, CURVE, looks).axes[0]
    assert top.lines[0].get_color() == looks["ce"].colour


def test_risk_coverage_ends_at_the_error_rate_and_compares_with_the_first_arm():
    top, bottom = drawn("risk-coverage").axes
    right, wrong = (line.get_ydata() for line in top.lines)
    assert right[-1] == wrong[-1] == 25  # one error of four, in percent
    assert wrong[0] == 100  # the surest one is wrong
    assert np.all(bottom.lines[0].get_ydata() == 0)
    assert bottom.lines[1].get_ydata() == pytest.approx(wrong - right)


def test_risk_coverage_averages_over_replicates_and_bands_from_least_to_most():
    top = plots.risk_coverage({"ce": [SURE_AND_RIGHT, SURE_AND_WRONG]}, CURVE).axes[0]
    assert top.lines[0].get_ydata()[0] == 50  # replicates: 0 and 100 % wrong among the surest
    band = top.collections[0].get_paths()[0].vertices[:, 1]
    assert (band.min(), band.max()) == (0, 100)


def test_risk_coverage_prints_aurc_with_spread_and_replicates():
    shown = texts(plots.risk_coverage({"ce": [SURE_AND_RIGHT, SURE_AND_WRONG]}, CURVE))
    low, high = (1 / 4) / 4, (1 + 1 / 2 + 1 / 3 + 1 / 4) / 4
    mean, sd = (low + high) / 2, (high - low) / 2**0.5
    assert f"{1000 * mean:.2f} ± {1000 * sd:.2f} (2 replicates)" in shown
    assert "62.50 (1 replicate)" in texts(plots.risk_coverage({"ce": [SURE_AND_RIGHT]}, CURVE))


def test_reliability_shows_accuracy_gap_and_share_of_the_pooled_replicates():
    first = (np.full(5, 0.75), np.array([True, True, True, True, False]))
    second = (np.full(5, 0.75), np.array([True, True, False, False, False]))
    figure = plots.reliability({"ce": [first, second], "kd": [first, second]}, BINS)
    assert len(figure.axes) == 4
    top, _, bottom, _ = figure.axes
    accuracy, gap = top.patches
    assert accuracy.get_height() == pytest.approx(60)  # (4 + 2) of 10
    assert gap.get_height() == pytest.approx(75 - 60)
    assert [bar.get_height() for bar in bottom.patches] == [0] * 7 + [100] + [0] * 2
    assert "ECE 0.2000 ± 0.2121" in texts(figure)  # replicates: |.8 - .75| = .05 and |.4 - .75| = .35


def test_reliability_is_drawn_beside_the_diagonal():
    top = drawn("reliability").axes[0]
    assert top.lines[0].get_xydata().tolist() == [[0, 0], [100, 100]]


def test_labels_of_a_crowd_do_not_overlap():
    boxes = [text.get_window_extent() for text in drawn("auroc-accuracy").axes[0].texts]
    assert len(boxes) == 8
    assert not [i for i, box in enumerate(boxes) for other in boxes[:i] if box.overlaps(other)]


def test_auroc_accuracy_leaves_out_arms_without_auroc_and_refuses_an_empty_plot():
    rows = metrics_rows("ce", 1, 0.9, 0.8) + metrics_rows("perfect", 1, 1.0, np.nan)
    shown = texts(plots.auroc_accuracy(pd.DataFrame(rows), CURVE))
    assert "ce" in shown and "perfect" not in shown
    with pytest.raises(UserError, match="no arm has accuracy and AUROC"):
        plots.auroc_accuracy(pd.DataFrame(rows[2:]), CURVE)


def test_auroc_accuracy_shows_its_own_split_and_data_set():
    rows = metrics_rows("ce", 1, 0.9, 0.8)
    others = [row | other for row in rows for other in ({"split": "val", "value": 0.5}, {"dataset": "x", "value": 0.1})]
    top = plots.auroc_accuracy(pd.DataFrame(others + rows), CURVE).axes[0]
    points = np.concatenate([np.asarray(dots.get_offsets()) for dots in top.collections])
    assert points == pytest.approx(np.array([[90, 80]] * 2))  # the replicate and the mean


def test_mask_gallery_has_three_rows_and_prints_the_overlap():
    figure = drawn("mask-gallery")
    assert len(figure.axes) == 9
    overlaps = [axes.get_xlabel() for axes in figure.axes[6:]]
    assert overlaps == ["0.50", "1.00", "1.00"]  # one of two pixels found, then both


def test_enhancement_examples_magnify_the_step_around_grey():
    figure = drawn("enhancement-examples")
    assert len(figure.axes) == 2 * 3 * 2
    step, unchanged = (np.asarray(figure.axes[i].images[0].get_array()) for i in (2, 5))
    np.testing.assert_allclose(step, 0.5 + 63 * 2 / 255, atol=1e-5)  # 63 = floor(127.5 / 2)
    np.testing.assert_allclose(unchanged, 0.5, atol=1e-5)
    shown = texts(figure)
    assert "step ×63" in shown and "0.500 → 0.750" in shown


def test_persuasion_matrix_averages_replicates_and_is_centred_at_zero():
    true, wrong, _ = drawn("persuasion-matrix").axes
    assert [text.get_text() for text in true.texts] == ["–", "+2.00\n± 1.41", "–", "–"]  # replicates: 1 and 3
    assert [text.get_text() for text in wrong.texts] == ["–", "−1.00", "–", "–"]
    assert [[label.get_text() for label in axis] for axis in (true.get_xticklabels(), true.get_yticklabels())] == [
        ["a", "b"],
        ["a", "b"],
    ]
    assert "n = 20 messages, 2 replicates" in true.get_title(loc="left")
    assert true.images[0].norm(0) == 0.5


# ---- mixing ----


def test_labels_that_cannot_be_judged_say_so():
    assert {"20.0", "30.0", "not known"} <= set(texts(drawn("mixed-labels")))  # the mean of 19 and 21


def test_gains_by_size_by_hand():
    # Small objects: ce is right of 1 of 2, kd of 2; large ones: 1 of 2 by both.
    left, right = drawn("object-size").axes
    gains, areas = (axes.lines[1].get_xydata() for axes in (left, right))
    assert gains.ravel().tolist() == pytest.approx([15, 50, 35, 0])
    # AURC of ce's small ones: (0 / 1 + 1 / 2) / 2 = 0.25, of kd's 0.
    assert areas[:, 1].tolist() == pytest.approx([-250, 0])


def test_fewer_images_than_bins_are_told_of():
    with pytest.raises(UserError, match="object-size: 4 images for n_bins 5"):
        plots.object_size(sized(), SimpleNamespace(**{**vars(SIZES), "n_bins": 5}))


def test_bounds_are_marked_by_name():
    assert marked(["ce", "ce/oracle"], ["ce/oracle"]) == ["ce", "ce/oracle (bound)"]


def test_a_message_that_two_hear_is_one_message():
    heard = [(sender, listener, "true", 1.0, n) for sender, n in (("a", 10), ("b", 7)) for listener in "ab"]
    rows = pd.DataFrame([*heard, *heard], columns=["sender", "listener", "message", "gain", "n"])  # of two replicates
    true, wrong, _ = plots.persuasion_matrix(rows, MATRIX).axes
    assert "n = 34 messages, 2 replicates" in true.get_title(loc="left")
    assert "n = 0 messages" in wrong.get_title(loc="left")
