"""What all figures share: type, sizes, layout and saving.

Drawn with the object-oriented interface only: pyplot keeps figures and the current axes in global state.
The look does not depend on a user's matplotlibrc, and equal data give equal bytes in every format.
Axes are in percent where a reader thinks in percent; printed AURC is a fraction times 1000.
No t-SNE, no three-dimensional bars, no second y axis: none of them can be read off.
"""

from collections.abc import Iterable
from pathlib import Path

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
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


def new_figure(settings, layout: str = "constrained") -> Figure:
    """Return an empty figure of the settings' size; layout "compressed" closes the gaps between images."""
    size = (settings.style.width_mm / 25.4, settings.style.height_mm / 25.4)
    figure = Figure(figsize=size, layout=layout)
    FigureCanvasAgg(figure)
    return figure


def header(figure: Figure, text: str) -> None:
    """Write what the figure shows, and of how many images and replicates, above it; in two lines where needed."""
    title = figure.suptitle(text, x=0.005, ha="left", fontsize=7.5, color=GREY)
    if title.get_window_extent().width > 0.99 * figure.bbox.width:
        breaks = [i for i, letter in enumerate(text) if letter == ";"]
        middle = min(breaks, key=lambda i: abs(2 * i - len(text)), default=len(text))
        title.set_text(f"{text[: middle + 1]}\n{text[middle + 1 :].strip()}")


def laid_out(figure: Figure) -> Figure:
    """Lay the figure out and keep it so: a later layout may move text by a hair, and bytes with it.

    The solver takes its equations in no fixed order, so its last bits vary: positions are rounded.
    """
    for _ in range(2):  # the first pass does not yet know the final size of images and tick labels
        figure.get_layout_engine().execute(figure)
    figure.set_layout_engine(None)  # one that does nothing ("none") would have each format drawn twice
    for axes in figure.axes:
        axes.set_position(Bbox(axes.get_position(original=True).get_points().round(6)), which="original")
        axes.set_position(Bbox(axes.get_position().get_points().round(6)), which="active")
    return figure
