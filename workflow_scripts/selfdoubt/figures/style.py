"""What all figures share: colours, type, sizes, an arm's look, layout and saving."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from selfdoubt.runtime.atomic_files import atomic_path

INK, GREY, PALE = "#1c2126", "#626b74", "#e4e7ea"
# Okabe & Ito (2008) without yellow, which vanishes on white, then five of Paul Tol's muted colours.
PALETTE = (
    *("#3a3f45", "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00"),
    *("#56b4e9", "#882255", "#999933", "#332288", "#44aa99", "#aa4499"),
)
DASHES = ("solid", (0, (4, 1.4)), (0, (1.2, 1.2)), (0, (5, 1.2, 1.2, 1.2)))
MARKERS = ("o", "D", "s", "^")
BELOW, ABOVE = "#b45f06", "#0b5c8a"  # ends of the diverging map, told apart by every reader

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


@dataclass(frozen=True)
class Look:
    """How one arm is drawn in every figure."""

    colour: str
    dashes: object
    marker: str


Looks = dict[str, Look]


def arm_looks(arms: Iterable[str]) -> Looks:
    """Give each arm its look by its place in `arms`; hand in the study's whole list to keep looks across figures."""
    names = list(dict.fromkeys(arms))
    return {
        name: Look(PALETTE[i % len(PALETTE)], DASHES[i // 6 % 4], MARKERS[i // 6 % 4]) for i, name in enumerate(names)
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


def replicates_text(n: int) -> str:
    return "1 replicate" if n == 1 else f"{n} replicates"


def mean_sd(values: Sequence[float], digits: int, note: str | None = None) -> str:
    """Return "mean ± sd (k replicates)", without ± for one replicate; `note` in the place of the brackets."""
    spread = f" ± {np.std(values, ddof=1):.{digits}f}" if len(values) > 1 else ""
    note = f" ({replicates_text(len(values))})" if note is None else note
    return f"{np.mean(values):.{digits}f}{spread}{note}"
