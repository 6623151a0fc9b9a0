"""What each arm's gap to a perfect ordering comes from, as stacked bars (after Rabanser & Papernot 2025)."""

from collections.abc import Callable

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from selfdoubt.figures.context import Context
from selfdoubt.figures.nothing import NothingToShow
from selfdoubt.figures.style import INK, STYLE, header, laid_out, new_figure
from selfdoubt.figures.texts import counted, listed
from selfdoubt.runtime import table_files
from selfdoubt.runtime.schemas.gaps import GAPS_SCHEMA

SHOWN_AS = "svg"
COLOURS = {  # part -> colour, name: what no order can mend first, what is not split last
    "noise": ("#8a949d", "noise of labels"),
    "approximation": ("#e69f00", "approximation"),
    "ranking": ("#0072b2", "ranking"),
    "rest": ("#cc79a7", "rest"),
    "unsplit": ("#d8dde1", "not split: no soft labels"),
}
MENDED = "mended-by-logits"


def read(inputs, settings, context: Context) -> pd.DataFrame:
    """Read the rows of the table of gaps."""
    return table_files.read_table(inputs.gaps[0], GAPS_SCHEMA).to_pandas()


@mpl.rc_context(STYLE)
def draw(data: pd.DataFrame, settings, context: Context) -> Figure:
    """Draw a bar for each arm, of means over replicates: positive parts to the right of 0, negative to the left.

    data: rows of the table of gaps, any arms, scores and coverages. Raises NothingToShow if no arm has a gap.
    """
    rows = shown(data, settings)
    arms = [arm for arm in settings.arms if rows[(rows["arm"] == arm) & (rows["part"] == "gap")]["value"].notna().any()]
    if not arms:
        place = f"{settings.dataset}, split {settings.split}, score {settings.score}"
        raise NothingToShow(f"no arm has a gap on {place} at {coverage_text(settings)}")
    means = rows.groupby(["arm", "part"])["value"].mean() * scale(settings)
    figure = new_figure(settings)
    axes = figure.subplots()
    used = {part for row, arm in enumerate(arms) for part in _bar(axes, row, means[arm])}
    axes.axvline(0, color=INK, linewidth=0.6)
    axes.set_yticks(range(len(arms)), [context.labels[arm] for arm in arms])
    axes.set_ylim(len(arms) - 0.4, -0.6)
    axes.set_xlabel(f"gap to a perfect ordering, {coverage_text(settings)} ({unit(settings)}; lower is better)")
    axes.grid(axis="x")
    _legend(axes, used)
    n, n_replicates = int(rows["n"].max()), rows["replicate"].nunique()
    extent = f"{settings.dataset}, {settings.split}, n = {n:,}; score {settings.score}"
    header(figure, f"{extent}; {counted(n_replicates, 'replicate')}{', bars: mean' if n_replicates > 1 else ''}")
    return laid_out(figure)


def shown(data: pd.DataFrame, settings) -> pd.DataFrame:
    """Return the rows of the figure's data set, split, score and coverage, with their arm."""
    rows = data[(data["dataset"] == settings.dataset) & (data["split"] == settings.split)]
    rows = rows[rows["score"] == settings.score]
    wanted = settings.coverage_percent
    rows = rows[rows["coverage_percent"].isna() if wanted is None else rows["coverage_percent"] == wanted]
    return rows.assign(arm=rows["name"].where(rows["variant"] == "clean", rows["name"] + "/" + rows["variant"]))


def _bar(axes: Axes, row: int, means: pd.Series) -> list[str]:
    """Draw the parts of one arm, or the gap alone where they are not known; returns what was drawn."""
    parts = {part: means[part] for part in COLOURS if pd.notna(means.get(part))}
    parts = parts or {"unsplit": means["gap"]}
    ends = {True: 0.0, False: 0.0}
    for part, value in parts.items():
        side = value >= 0
        axes.barh(row, value, left=ends[side], height=0.62, color=COLOURS[part][0], linewidth=0)
        ends[side] += value
    axes.plot([means["gap"]] * 2, [row - 0.4, row + 0.4], color=INK, linewidth=1.4, solid_capstyle="butt")
    drawn = [*parts, "gap"]
    if pd.notna(means.get(MENDED)):
        axes.plot(means["gap"] - means[MENDED], row, marker="<", markersize=3.5, color=INK, linewidth=0)
        drawn.append(MENDED)
    return drawn


def _legend(axes: Axes, used: set[str]) -> None:
    marks = {
        COLOURS[part][1]: mpl.patches.Patch(color=COLOURS[part][0], linewidth=0) for part in COLOURS if part in used
    }
    marks["gap: their sum"] = mpl.lines.Line2D([], [], color=INK, linewidth=1.4)
    if MENDED in used:
        marks["gap by a model of\ncorrectness on logits"] = mpl.lines.Line2D(
            [], [], marker="<", markersize=3.5, color=INK, linewidth=0
        )
    axes.legend(marks.values(), marks.keys(), loc="upper left", bbox_to_anchor=(1.01, 1))


def scale(settings) -> int:
    """Return by which accuracies are multiplied: areas are shown times 1000, what is at one coverage in points."""
    return 1000 if settings.coverage_percent is None else 100


def unit(settings) -> str:
    """Return the unit of the axis."""
    return "e-AURC ×10³" if settings.coverage_percent is None else "points of accuracy"


def coverage_text(settings) -> str:
    """Return where the gap is shown."""
    whole = settings.coverage_percent is None
    return "mean over all coverages" if whole else f"{settings.coverage_percent:g} % coverage"


def caption(settings, label: Callable[[str], str], extent: str) -> str:
    """Return what the figure shows. extent: data set, split, images and replicates."""
    return (
        f"The gap between the accuracy-coverage curves of {listed([*map(label, settings.arms)])} and those of perfect "
        f"orderings of the same predictions, {coverage_text(settings)}, on {extent}, by the score {settings.score}. Noise of labels: what is left to the "
        "Bayes classifier of the labels that people gave, in its best order; approximation: what the arm's own "
        "predictions add in their best order, negative where they take from it; ranking: what the score loses against "
        "that order; rest: the labels of the data set against those of people. Parts add up to the gap, the black "
        "line. Triangles: the gap if images are ordered by a model of correctness on logits, fitted on val."
    )
