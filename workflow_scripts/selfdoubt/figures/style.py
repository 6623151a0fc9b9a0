"""What all figures share: type, sizes, layout and saving.

Drawn with the object-oriented interface only: pyplot keeps figures and the current axes in global state.
The look does not depend on a user's matplotlibrc, and equal data give equal bytes in every format.
Axes are in percent where a reader thinks in percent; printed AURC is a fraction times 1000.
No t-SNE, no three-dimensional bars, no second y axis: none of them can be read off.
"""

from collections.abc import Iterable
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.transforms import Bbox

from selfdoubt.runtime.atomic_files import atomic_path

INK, GREY, PALE = "#1c2126", "#626b74", "#e4e7ea"
BELOW, ABOVE = "#b45f06", "#0b5c8a"  # ends of the diverging map, which every reader can distinguish

_DEFAULTS = {key: value for key, value in mpl.rcParamsDefault.items() if not key.startswith("backend")}
STYLE = _DEFAULTS | {
    "font.family": "DejaVu Sans",  # shipped with matplotlib, so the same on every machine
    "font.size": 7.5,
    "axes.titlesize": 7.5,
    "axes.labelsize": 7.5,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.title_fontsize": 7,
    "text.color": INK,
    "text.hinting": "no_hinting",  # the same text widths at every resolution
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": PALE,
    "grid.linewidth": 0.5,
    "lines.linewidth": 1.3,
    "legend.frameon": False,
    "text.parse_math": False,  # a label may hold dollars
    "svg.fonttype": "path",
    "svg.hashsalt": "selfdoubt",  # element ids from the content, not from chance
    "pdf.fonttype": 42,
    "savefig.dpi": 200,
}
PAPER = {  # beside STYLE: the type of most papers, which is smaller at the same size
    "font.family": "STIXGeneral",  # Times, shipped with matplotlib
    "mathtext.fontset": "stix",
    **dict.fromkeys(("font.size", "axes.titlesize", "axes.labelsize"), 8),
    **dict.fromkeys(("xtick.labelsize", "ytick.labelsize", "legend.fontsize", "legend.title_fontsize"), 7.5),
    "axes.linewidth": 0.5,
    "lines.linewidth": 1.1,
}
_METADATA = {
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    "png": {"Software": None},
}


@mpl.rc_context(STYLE)
def save(figure: Figure, paths: Iterable[str | Path]) -> None:
    """Write the figure to each path in the format of its suffix (svg, pdf, png), whole or not at all."""
    for path in map(Path, paths):
        kind = path.suffix[1:]
        with atomic_path(path) as temporary:
            figure.savefig(temporary, format=kind, metadata=_METADATA[kind])


_WIDEST = 0.8  # of the figure, for the label of an axis in one line


class PaperFigure(Figure):
    """A figure without a line above it: the paper's caption states what it shows."""


def new_figure(settings, layout: str = "constrained") -> Figure:
    """Return an empty figure of the settings' size; layout "compressed" closes the gaps between images.

    Call it within `rc_context`: a figure for a paper changes the fonts of all that is drawn until the context ends.
    """
    for_paper = getattr(settings.style, "for", "screen") != "screen"
    if for_paper:
        mpl.rcParams.update(PAPER)
    size = (settings.style.width_mm / 25.4, settings.style.height_mm / 25.4)
    figure = (PaperFigure if for_paper else Figure)(figsize=size, layout=layout)
    FigureCanvasAgg(figure)
    return figure


def header(figure: Figure, text: str) -> None:
    """Write what the figure shows, and of how many images and replicates, above it; in two lines where needed.

    Nothing above a figure for a paper.
    """
    if isinstance(figure, PaperFigure):
        return
    title = figure.suptitle(text, x=0.005, ha="left", fontsize=7.5, color=GREY)
    if title.get_window_extent().width > 0.99 * figure.bbox.width:
        title.set_text(_in_two_lines(text, ";"))


def name_panel(axes: Axes, name: str, n_panels: int, **look) -> None:
    """Write the name of an arm above its panel, in two lines where it would reach into the next of n side by side."""
    title = axes.set_title(name, loc="left", fontweight="bold", **look)
    if title.get_window_extent().width > 0.8 * axes.figure.bbox.width / n_panels:
        title.set_text(_in_two_lines(name))


def laid_out(figure: Figure) -> Figure:
    """Lay the figure out and keep it so: a later layout may move text by a hair, and bytes with it.

    The solver takes its equations in no fixed order, so its last bits vary: positions are rounded.
    """
    if isinstance(figure, PaperFigure) and figure.get_layout_engine() is not None:
        _fit_width(figure)
    for _ in range(2):  # the first pass does not yet know the final size of images and tick labels
        figure.get_layout_engine().execute(figure)
    figure.set_layout_engine(None)  # one that does nothing ("none") would have each format drawn twice
    for axes in figure.axes:
        axes.set_position(Bbox(axes.get_position(original=True).get_points().round(6)), which="original")
        axes.set_position(Bbox(axes.get_position().get_points().round(6)), which="active")
    return figure


def _fit_width(figure: PaperFigure) -> None:
    """Put legends that stand beside axes, or cover half of their width, above them, and break long labels of axes.

    A column is half as wide as a screen's figure: a legend beside would leave too little for the axes.
    """
    for axes in figure.axes:
        legend = axes.get_legend()
        if legend is None:
            continue
        if legend.get_bbox_to_anchor().x0 > axes.bbox.x1:
            _legend_above(figure, legend, range(len(legend.get_texts()), 0, -1))
        elif legend.get_window_extent().width > axes.bbox.width / 2:
            _legend_above(figure, legend, [legend._ncols], columnspacing=legend.columnspacing)
    labels = [label for axes in figure.axes for label in (axes.xaxis.label, axes.yaxis.label)]
    for label in [*labels, *filter(None, (figure._supxlabel, figure._supylabel))]:
        box, whole = label.get_window_extent(), figure.bbox
        if box.width > _WIDEST * whole.width or box.height > _WIDEST * whole.height:
            label.set_text(_in_two_lines(label.get_text()))


def _legend_above(figure: PaperFigure, legend: Legend, n_columns: Iterable[int], columnspacing: float = 1.2) -> None:
    """Draw a legend above all axes instead, in the first of these numbers of columns that fits, or the last."""
    texts, drawn = [text.get_text() for text in legend.get_texts()], legend.axes.get_legend_handles_labels()
    handles = drawn[0] if drawn[1] == texts else legend.legend_handles  # of bars of errors the latter is a line alone
    legend.remove()
    style = {"loc": "outside upper left", "handletextpad": 0.5, "borderaxespad": 0, "alignment": "left"}
    style |= {"title": legend.get_title().get_text() or None, "columnspacing": columnspacing}
    *wider, last = n_columns
    for n in wider:
        above = figure.legend(handles, texts, ncols=n, **style)
        if above.get_window_extent().width < figure.bbox.width:
            return
        above.remove()
    figure.legend(handles, texts, ncols=last, **style)


def _in_two_lines(text: str, end: str = " ") -> str:
    """Return a text whose first line ends with that letter, the one nearest to the middle; a space is left out."""
    breaks = [i for i, letter in enumerate(text) if letter == end]
    middle = min(breaks, key=lambda i: abs(2 * i - len(text)), default=None)
    return text if middle is None else f"{text[: middle + 1].rstrip()}\n{text[middle + 1 :].strip()}"
