"""What students gain over a reference where their teacher is more or less certain."""

from collections.abc import Callable

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from selfdoubt.figures.bands import BAND
from selfdoubt.figures.context import Context, Look
from selfdoubt.figures.style import GREY, STYLE, header, laid_out, new_figure
from selfdoubt.figures.texts import Extent, NothingToShow, counted, listed
from selfdoubt.runtime import table_files
from selfdoubt.runtime.schemas.fidelity import FIDELITY_SCHEMA

SHOWN_AS = "svg"
PANELS = {  # quantity -> title
    "error": "error rate",
    "confidence-correct": "mean confidence, correct",
    "confidence-incorrect": "mean confidence, incorrect",
}


def read(inputs, settings, context: Context) -> pd.DataFrame:
    """Read the rows of the table of fidelity."""
    return table_files.read_table(inputs.fidelity[0], FIDELITY_SCHEMA).to_pandas()


@mpl.rc_context(STYLE)
def draw(data: pd.DataFrame, settings, context: Context) -> Figure:
    """Draw each student's difference from the reference, in points, over the deciles of its teacher's entropy.

    data: rows of the table of fidelity, any students. Lines are means over replicates, bands reach from the least to
    the most. Raises NothingToShow if there is no such difference.
    """
    rows = _rows(data, settings)
    shown = [arm for arm in settings.arms if arm in set(rows["student"])]
    if not shown:
        raise NothingToShow(f"no student has a difference from {settings.reference} on {settings.dataset}")
    figure = new_figure(settings)
    panels = figure.subplots(1, len(PANELS), sharex=True)
    for axes, (quantity, title) in zip(panels, PANELS.items(), strict=True):
        axes.axhline(0, color=GREY, linewidth=0.6)
        for arm in shown:
            own = rows[(rows["student"] == arm) & (rows["quantity"] == quantity)]
            _line(axes, own.groupby("decile")["value"], context.looks[arm])
        axes.set_title(title, loc="left")
        axes.set_xticks([1, 4, 7, 10])
        axes.grid(axis="y")
    panels[0].set_ylabel(f"difference from\n{context.labels[settings.reference]} (points)")
    figure.supxlabel("decile of the teacher's entropy, 10 the least certain", fontsize=7.5)
    looks = [context.looks[arm] for arm in shown]
    lines = [Line2D([], [], color=look.colour, linestyle=look.dashes) for look in looks]
    panels[-1].legend(lines, [context.labels[arm] for arm in shown], loc="upper left", bbox_to_anchor=(1.01, 1))
    n_replicates = rows["replicate"].nunique()
    header(figure, f"{_extent(rows, settings)}; {BAND if n_replicates > 1 else counted(1, 'replicate')}")
    return laid_out(figure)


def table(data: pd.DataFrame, settings, context: Context) -> pd.DataFrame:
    """Return student, quantity, decile, and mean, least and most of its difference from the reference, in points."""
    rows = _rows(data, settings)
    rows = rows[rows["quantity"].isin(PANELS)].assign(value=100 * rows["value"])
    groups = rows.groupby(["student", "quantity", "decile"], sort=False)["value"]
    return groups.agg(mean="mean", least="min", most="max").reset_index()


def _rows(data: pd.DataFrame, settings) -> pd.DataFrame:
    rows = data[(data["dataset"] == settings.dataset) & (data["split"] == settings.split)]
    return rows[(rows["reference"] == settings.reference) & rows["student"].isin(settings.arms)].dropna(subset="value")


def _line(axes: Axes, values, look: Look) -> None:
    mean = 100 * values.mean()
    axes.fill_between(mean.index, 100 * values.min(), 100 * values.max(), color=look.colour, alpha=0.16, linewidth=0)
    axes.plot(mean.index, mean, color=look.colour, linestyle=look.dashes)


def _extent(rows: pd.DataFrame, settings) -> str:
    sizes = sorted(rows["n"].unique())
    n = f"{sizes[0]:,}" + (f" to {sizes[-1]:,}" if len(sizes) > 1 else "")
    return f"{settings.dataset}, {settings.split}, n = {n} images a decile"


def caption(settings, label: Callable[[str], str], extent: Extent) -> str:
    """Return what the figure shows. extent: data set, split, images and replicates."""
    return (
        f"Differences of {listed([*map(label, settings.arms)])} from {label(settings.reference)} on {extent}, by "
        "decile of the entropy of the student's own teacher, of several of their mean probability. Left: error rate, "
        "lower is better. Middle and right: mean confidence of the predictions that each of the two itself classifies "
        "correctly, and incorrectly: a student that is better informed gains on the first and loses on the second."
    )
