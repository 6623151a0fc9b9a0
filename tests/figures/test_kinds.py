"""Every kind of figure: it can be read, equal data give equal bytes, and data that show nothing stop no study."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text
from small_figures import (
    ARMS,
    CONTEXT,
    KINDS,
    LAST_INCORRECT,
    aurcs,
    compared,
    corrupted,
    costed,
    dosed,
    draw,
    drawn,
    exchanged,
    fidelity,
    gallery,
    gaps,
    labels,
    metrics_rows,
    mislabelled,
    mixed,
    persuasion,
    saved,
    settings,
    texts,
    tried,
)

from selfdoubt.evaluation.undefined import Undefined
from selfdoubt.figures import style
from selfdoubt.figures.context import context_of, look_at
from selfdoubt.figures.kinds.mask_gallery import Gallery
from selfdoubt.figures.kinds.object_size import SizedRuns
from selfdoubt.figures.nothing import notice
from selfdoubt.figures.texts import Extent, NothingToShow
from selfdoubt.runtime import methods


@pytest.mark.parametrize("kind", KINDS)
def test_equal_data_give_equal_bytes(kind, tmp_path):
    assert saved(drawn(kind), tmp_path / "figure.svg") == saved(draw(kind), tmp_path / "figure.svg")


@pytest.mark.parametrize("suffix", ["svg", "pdf", "png"])
def test_saving_twice_gives_equal_bytes_and_leaves_nothing_else(suffix, tmp_path):
    figure, before = drawn("reliability"), mpl.rcParams.copy()
    assert saved(figure, tmp_path / f"first.{suffix}") == saved(figure, tmp_path / f"second.{suffix}")
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"first.{suffix}", f"second.{suffix}"]
    assert mpl.rcParams.copy() == before


@pytest.mark.parametrize("kind", KINDS)
def test_all_text_is_large_enough_and_inside_a_figure_of_the_set_size(kind):
    figure = drawn(kind)
    width, height = figure.get_size_inches()
    box = figure.get_tightbbox()  # in inches, of all that is visible
    assert (25.4 * width, 25.4 * height) == pytest.approx((150, 80))
    assert box.x0 >= -0.01 and box.y0 >= -0.01 and box.x1 <= width + 0.01 and box.y1 <= height + 0.01
    assert min(text.get_fontsize() for text in figure.findobj(Text) if text.get_text()) >= 7


@pytest.mark.parametrize("kind", KINDS)
def test_a_figure_and_its_caption_show_arms_by_their_labels(kind):
    changed = replace(CONTEXT, labels={arm: f"{label} & more" for arm, label in ARMS.items()})
    shows_arms = kind not in ("mask-gallery", "mask-sheet")
    assert any("& more" in text for text in texts(draw(kind, context=changed))) == shows_arms
    module = methods.load("figures.kinds", kind)
    one, caption = (module.caption(settings(kind), lambda arm: f"<{arm}>", Extent("toys", n)) for n in (1, 3))
    assert "toys" in caption and ("<" in caption) == (shows_arms and kind not in ("auroc-accuracy", "forest"))  # of all
    assert "replicate" not in one.replace("replicate 1", "") and (one != caption) == (
        "replicate" in caption.replace("replicate 1", "")
    )
    assert module.SHOWN_AS in ("svg", "png")


def test_the_import_brings_neither_torch_nor_pyplot():
    load = "[methods.load('figures.kinds', kind) for kind in methods.names_in('figures.kinds')]"
    code = f"import sys; from selfdoubt.runtime import methods; {load}; import selfdoubt.report.page"
    code += "; print({'torch', 'matplotlib.pyplot'} & {*sys.modules})"
    path = str(Path(style.__file__).parents[2])
    shown = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": path}, capture_output=True, text=True)
    assert shown.stdout.strip() == "set()", shown.stderr


def test_looks_follow_places_differ_and_are_used():
    assert len({look_at(place) for place in range(48)} | {look_at(0)}) == 48
    context = context_of({"labels": {"ce": "CE", "kd": "KD"}, "looks": {"ce": 7, "kd": 2}})
    assert context.looks == {"kd": look_at(2), "ce": look_at(7)} and [*context.looks] == ["kd", "ce"]
    assert draw("risk-coverage", context=context).axes[0].lines[0].get_color() == look_at(7).colour


# ---- data that give nothing to show ----

PERFECT = (LAST_INCORRECT[0], np.ones(4, bool))
UNKNOWN = (np.full(4, np.nan), LAST_INCORRECT[1])
POOR = {
    "risk-coverage": ({"ce": [PERFECT], "kd": [PERFECT] * 2}, {"ce": [UNKNOWN]}),
    "reliability": ({"ce": [PERFECT], "kd": [PERFECT] * 2}, None),
    "object-size": (SizedRuns({"ce": [PERFECT], "kd": [PERFECT]}, np.zeros(4)), None),
    "auroc-accuracy": (pd.DataFrame(metrics_rows("ce", 1, 1.0, np.nan)),) * 2,
    "accuracy-ranking": (pd.DataFrame(metrics_rows("ce", 1, 1.0, np.nan)),) * 2,
    "gain-cost": (costed(ce_odin=None), costed(ce=None)),
    "attack-recovery": (aurcs(ce=50, ce_odin=60, kd=1), aurcs(ce=50, ce_odin=50, ce_random_sign=49)),
    "oracle-gap": (gaps(), gaps(None)),
    "message-examples": (exchanged(1), exchanged(0)),
    "metric-along": (aurcs(ce=50, ce_odin=45), aurcs(ce=50)),
    "tuning-curves": (tried(("ce/odin",)), tried(("kd/odin",))),
    "persuasion-matrix": (persuasion().assign(gain=None, n=0),) * 2,
    "label-error": (mislabelled(b=[]), mislabelled(kd=[], a=[], b=[])),
    "mixed-labels": ({"a": [dict.fromkeys(labels(), None)], "b": [labels(None)]}, None),
    "mixed-examples": (mixed(1), mixed(0)),
    "confidence-histograms": ({"ce": [PERFECT], "kd": [PERFECT] * 2}, None),
    "generalised-risk-coverage": ({"ce": [PERFECT], "kd": [PERFECT] * 2}, None),
    "ood-histograms": ({arm: [(np.ones(3), np.ones(2))] for arm in ("ce", "kd")}, None),
    "severity-curves": (corrupted().query("name == 'ce'"), corrupted().query("split != 'noise-3'")),
    "data-dose": (dosed().query("dataset == 'toys'"), dosed().assign(value=None).astype({"value": float})),
    "forest": (compared(), compared()._replace(comparisons=compared().comparisons.assign(low=None))),
    "entropy-deciles": (fidelity().query("student == 'kd'"), fidelity().query("reference != 'ce'")),
    "teacher-quality": (fidelity().query("student != 'a'"), fidelity().assign(value=None).astype({"value": float})),
    "mask-gallery": (Gallery(gallery().images, *[np.zeros((3, 8, 8), bool)] * 2), None),
}


@pytest.mark.parametrize("kind", POOR)
def test_data_that_show_little_or_nothing_stop_no_study(kind, tmp_path):
    """Of the first there may be something to draw, of the second there is not."""
    for data in (data for data in POOR[kind] if data is not None):
        try:
            figure = draw(kind, data)
        except (NothingToShow, Undefined) as reason:
            figure = notice(str(reason), settings(kind))
        assert saved(figure, tmp_path / "figure.svg")
    if POOR[kind][1] is not None:
        with pytest.raises((NothingToShow, Undefined)):
            draw(kind, POOR[kind][1])


def test_a_notice_is_as_large_as_the_figure_and_the_same_each_time(tmp_path):
    figures = [notice("no $x$ " * 60, settings("risk-coverage")) for _ in range(2)]
    width, height = figures[0].get_size_inches()
    box = figures[0].get_tightbbox()
    assert (25.4 * width, 25.4 * height) == pytest.approx((150, 80))
    assert box.x0 >= -0.01 and box.x1 <= width + 0.01 and box.y0 >= -0.01 and box.y1 <= height + 0.01
    assert len({saved(figure, tmp_path / "figure.svg") for figure in figures}) == 1


# ---- of one kind ----
