"""What each arm's gap to a perfect ordering comes from, as stacked bars (after Rabanser & Papernot 2025)."""

from collections.abc import Callable

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from selfdoubt.figures.context import Context
from selfdoubt.figures.points import with_arms
from selfdoubt.figures.style import INK, STYLE, header, laid_out, new_figure
from selfdoubt.figures.texts import Extent, NothingToShow, counted, listed
from selfdoubt.runtime import table_files
from selfdoubt.runtime.schemas.gaps import GAPS_SCHEMA

SHOWN_AS = "svg"
COLOURS = {  # part -> colour, name: what no order can mend first, what is not split last
    "noise": ("#8a949d", "label noise"),
    "approximation": ("#e69f00", "approximation"),
    "ranking": ("#0072b2", "ranking"),
    "rest": ("#cc79a7", "rest"),
    "left": ("#8a949d", "left in the order of\npeople's agreement"),
    "gained": ("#0072b2", "ranking: lost\nagainst that order"),
    "unsplit": ("#d8dde1", "not split: no soft labels"),
}
MENDED = {  # part -> marker, place across the bar, what orders the images instead
    "mended-by-logits": ("o", 0.14, "gap, ordered by a model\nof correctness on logits"),
}
_MEANINGS = {
    "given": "Grey: what is left if images are ordered by the fraction of people who agree with the prediction, which "
    "is label noise and approximation; blue: what the score loses against that order, which is ranking.",
    "people": "As if labels were drawn from those of people. Label noise: the gap of their Bayes classifier "
    "in its best order; approximation: what the arm's predictions add in their best order, negative if they reduce it; "
    "ranking: what the score loses against that order; rest: the labels of the data set against those of people.",
}
_POINT = {"markersize": 3.5, "markerfacecolor": "white", "markeredgecolor": INK, "linewidth": 0, "zorder": 3}


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
    used = {part for row, arm in enumerate(arms) for part in _bar(axes, row, means[arm], settings.labels)}
    gaps = rows[rows["part"] == "gap"].dropna(subset="value").groupby("arm")["value"]
    for row, arm in enumerate(arms):
        each = gaps.get_group(arm).to_numpy() * scale(settings)
        if len(each) > 1:
            axes.scatter(each, np.full(len(each), row - 0.36), s=5, color=INK, alpha=0.6, linewidth=0, zorder=3)
    axes.axvline(0, color=INK, linewidth=0.6)
    axes.set_yticks(range(len(arms)), [context.labels[arm] for arm in arms])
    axes.set_ylim(len(arms) - 0.4, -0.6)
    axes.set_xlabel(f"gap to a perfect ordering, {coverage_text(settings)} ({unit(settings)}; lower is better)")
    axes.grid(axis="x")
    _legend(axes, used)
    n, n_replicates = int(rows["n"].max()), rows["replicate"].nunique()
    extent = f"{settings.dataset}, {settings.split}, n = {n:,}; score {settings.score}"
    drawn = ", bars: mean, dots: gap of each" if n_replicates > 1 else ""
    header(figure, f"{extent}; {counted(n_replicates, 'replicate')}{drawn}")
    return laid_out(figure)


def shown(data: pd.DataFrame, settings) -> pd.DataFrame:
    """Return the rows of the figure's data set, split, score and coverage, with their arm."""
    rows = data[(data["dataset"] == settings.dataset) & (data["split"] == settings.split)]
    rows = rows[rows["score"] == settings.score]
    wanted = settings.coverage_percent
    return with_arms(rows[rows["coverage_percent"].isna() if wanted is None else rows["coverage_percent"] == wanted])


def table(data: pd.DataFrame, settings, context: Context) -> pd.DataFrame:
    """Return arm, part, and its mean over replicates in the unit of the axis."""
    rows = shown(data, settings)
    means = rows[rows["arm"].isin(settings.arms)].groupby(["arm", "part"], as_index=False)["value"].mean()
    return means.assign(value=means["value"] * scale(settings))


def _bar(axes: Axes, row: int, means: pd.Series, labels: str) -> list[str]:
    """Draw the parts of one arm, or the gap alone where they are not known; returns what was drawn."""
    parts = _parts(means, labels) or {"unsplit": means["gap"]}
    ends = {True: 0.0, False: 0.0}
    for part, value in parts.items():
        side = value >= 0
        axes.barh(row, value, left=ends[side], height=0.62, color=COLOURS[part][0], linewidth=0)
        ends[side] += value
    axes.plot([means["gap"]] * 2, [row - 0.4, row + 0.4], color=INK, linewidth=1.4, solid_capstyle="butt")
    drawn = [*parts, "gap"]
    for part, (marker, across, _) in MENDED.items():
        if pd.notna(means.get(part)):
            axes.plot(means["gap"] - means[part], row + across, marker=marker, **_POINT)
            drawn.append(part)
    return drawn


def _parts(means: pd.Series, labels: str) -> dict[str, float]:
    """Return the parts of a gap of the data set's labels, or of those of people; none where they are not known."""
    if labels == "people":
        return {part: means[part] for part in COLOURS if pd.notna(means.get(part))}
    mended = means.get("mended-by-people")
    return {"left": means["gap"] - mended, "gained": mended} if pd.notna(mended) else {}


def _legend(axes: Axes, used: set[str]) -> None:
    marks = {
        COLOURS[part][1]: mpl.patches.Patch(color=COLOURS[part][0], linewidth=0) for part in COLOURS if part in used
    }
    marks["gap"] = mpl.lines.Line2D([], [], color=INK, linewidth=1.4)
    marks |= {
        text: mpl.lines.Line2D([], [], marker=marker, **_POINT)
        for part, (marker, _, text) in MENDED.items()
        if part in used
    }
    axes.legend(marks.values(), marks.keys(), loc="upper left", bbox_to_anchor=(1.01, 1))


def scale(settings) -> int:
    """Return the factor of values on the axis: 1000 for means over all coverages, 100 (points) at a single coverage."""
    return 1000 if settings.coverage_percent is None else 100


def unit(settings) -> str:
    """Return the unit of the axis."""
    return "e-AURC ×10³" if settings.coverage_percent is None else "points of accuracy"


def coverage_text(settings) -> str:
    """Return where the gap is shown."""
    whole = settings.coverage_percent is None
    return "mean over all coverages" if whole else f"{settings.coverage_percent:g} % coverage"


def caption(settings, label: Callable[[str], str], extent: Extent) -> str:
    """Return what the figure shows. extent: data set, split, images and replicates."""
    return (
        f"The gap between the accuracy-coverage curves of {listed([*map(label, settings.arms)])} and those of perfect "
        f"orderings of the same predictions, {coverage_text(settings)}, on {extent}, by the score {settings.score}. "
        f"{_MEANINGS[settings.labels]} Parts add up to the gap, the black line. Points: the gap if the same images are "
        "ordered by a model of correctness on logits, fitted on val."
    )
