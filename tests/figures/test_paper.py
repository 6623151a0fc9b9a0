"""Figures for a paper: as wide as columns, in its type, without a line above them, their legends above narrow axes."""

from types import SimpleNamespace

import matplotlib as mpl
import pytest
from matplotlib.text import Text
from small_figures import KINDS, draw, drawn, saved, texts

from selfdoubt.figures.nothing import notice
from selfdoubt.figures.style import PaperFigure
from selfdoubt.settings.bases import PAPERS, Style

WIDE = Style(**{"for": "paper", "columns": 2, "height_mm": 70}).model_dump()
NARROW = Style(**{"for": "paper", "height_mm": 70}).model_dump()
BESIDE = ("accuracy-ranking", "auroc-accuracy", "confidence-histograms", "gain-cost", "oracle-gap", "training-curves")


def for_paper(kind: str, style: dict = WIDE):
    return draw(kind, style=SimpleNamespace(**style))


@pytest.mark.parametrize("kind", KINDS)
def test_all_text_is_of_the_papers_type_inside_the_figure_and_none_of_it_a_header(kind):
    figure, before = for_paper(kind), mpl.rcParams.copy()
    width, height = figure.get_size_inches()
    box = figure.get_tightbbox()
    assert (25.4 * width, 25.4 * height) == pytest.approx((PAPERS["paper"][1], 70))
    assert box.x0 >= -0.01 and box.y0 >= -0.01 and box.x1 <= width + 0.01 and box.y1 <= height + 0.01
    found = [text for text in figure.findobj(Text) if text.get_text()]
    assert {name for text in found for name in text.get_fontfamily()} == {"STIXGeneral"}
    assert min(text.get_fontsize() for text in found) >= 7
    headers = [text for text in texts(drawn(kind)) if "toys" in text]
    assert headers and not {*headers} & {*texts(figure)}
    assert before == mpl.rcParams.copy()


@pytest.mark.parametrize("kind", BESIDE)
def test_in_one_column_a_legend_beside_stands_above_and_the_axes_are_as_wide(kind):
    figure = for_paper(kind, NARROW)
    [legend] = figure.legends
    assert not [axes for axes in figure.axes if axes.get_legend()]
    box, whole = legend.get_window_extent(), figure.bbox
    assert box.x1 <= whole.x1 + 1 and max(axes.bbox.y1 for axes in figure.axes) <= box.y0 + 1
    assert max(axes.bbox.x1 for axes in figure.axes) > 0.93 * whole.x1
    shown = [text.get_text() for text in legend.get_texts()]
    assert shown == [text.get_text() for axes in drawn(kind).axes for text in _legend_texts(axes)]


def _legend_texts(axes) -> list[Text]:
    return axes.get_legend().get_texts() if axes.get_legend() else []


@pytest.mark.parametrize("suffix", ["svg", "pdf", "png"])
def test_equal_data_give_equal_bytes_and_a_screen_has_its_own_type_afterwards(tmp_path, suffix):
    first, screen = (
        saved(for_paper("reliability"), tmp_path / f"a.{suffix}"),
        saved(draw("reliability"), tmp_path / f"s.{suffix}"),
    )
    assert saved(for_paper("reliability"), tmp_path / f"b.{suffix}") == first
    assert saved(drawn("reliability"), tmp_path / f"t.{suffix}") == screen != first


def test_a_legend_that_covers_half_of_narrow_axes_keeps_its_columns_above_them():
    figure = for_paper("risk-coverage", NARROW)
    [above], [inside] = figure.legends, [axes.get_legend() for axes in drawn("risk-coverage").axes if axes.get_legend()]
    shown, before = ([text.get_text() for text in each.get_texts()] for each in (above, inside))
    assert shown == before and above.get_title().get_text() == inside.get_title().get_text()
    assert above.get_window_extent().y0 >= max(axes.bbox.y1 for axes in figure.axes) - 1
    assert for_paper("risk-coverage", WIDE).legends == []


def test_a_long_label_of_an_axis_is_broken_where_it_is_wider_than_the_column():
    label = for_paper("oracle-gap", NARROW).axes[0].get_xlabel()
    assert label.count("\n") == 1 and label.replace("\n", " ") == drawn("oracle-gap").axes[0].get_xlabel()


def test_a_figure_with_nothing_to_show_is_one_for_a_paper_too(tmp_path):
    settings = SimpleNamespace(dataset="toys", style=SimpleNamespace(**NARROW))
    figure = notice("no errors", settings)
    assert isinstance(figure, PaperFigure) and not [text for text in texts(figure) if text == "toys"]
    assert saved(figure, tmp_path / "a.pdf")


# ---- settings ----


def test_a_paper_has_the_width_of_its_columns_whatever_the_screen_has():
    assert Style(**{"for": "ieee", "width_mm": 130, "height_mm": 70}).width_mm == PAPERS["ieee"][0]
    assert {"for": "paper", "columns": 2, "width_mm": PAPERS["paper"][1], "height_mm": 70} == WIDE


def test_a_screen_is_the_default_and_leaves_the_settings_of_jobs_as_they_were():
    assert Style(width_mm=130, height_mm=85).model_dump() == {"width_mm": 130, "height_mm": 85}
    assert Style(**{"for": "screen", "width_mm": 130, "height_mm": 85}).model_dump() == {
        "width_mm": 130,
        "height_mm": 85,
    }
