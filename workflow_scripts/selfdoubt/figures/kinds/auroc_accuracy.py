"""How well arms rank their errors against how few they make."""

from collections.abc import Callable

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from selfdoubt.figures.context import N_LOOKS, Context, Look
from selfdoubt.figures.points import accuracy_and_auroc, read_metrics, with_means
from selfdoubt.figures.style import STYLE, header, laid_out, new_figure
from selfdoubt.figures.texts import Extent, counted

SHOWN_AS = "svg"
POINTS = {"accuracy_percent": "accuracy {:.2f} %", "auroc_percent": "auroc {:.2f} %"}  # axes, as the page shows them
METRIC = "auroc"  # to which a point leads
ROWS = 24  # of a column of the legend


def read(inputs, settings, context: Context) -> pd.DataFrame:
    """Read the metrics of every arm and replicate."""
    return read_metrics(inputs.metrics)


@mpl.rc_context(STYLE)
def draw(data: pd.DataFrame, settings, context: Context) -> Figure:
    """Draw AUROC of correct against incorrect predictions over accuracy: an arm's replicates around their mean.

    data: rows of the metrics table, any splits and scores; only those of the settings are drawn. Raises NothingToShow
    if no arm has both numbers. Names stand in a legend: beside the points they hide one another where arms are alike.
    """
    points = accuracy_and_auroc(data, settings)
    figure = new_figure(settings)
    axes = figure.subplots()
    shown = [arm for arm in context.looks if arm in set(points["arm"])]
    for arm in shown:
        look, rows = context.looks[arm], points.loc[points["arm"] == arm, ["accuracy", "auroc"]]
        x, y = rows.mean()
        for replicate_x, replicate_y in rows.to_numpy():
            axes.plot([x, replicate_x], [y, replicate_y], color=look.colour, linewidth=0.5, alpha=0.35, zorder=2)
        axes.scatter(rows["accuracy"], rows["auroc"], s=7, color=look.colour, alpha=0.5, linewidth=0, zorder=3)
        axes.scatter(x, y, s=30, color=look.colour, marker=look.marker, edgecolor="white", linewidth=0.7, zorder=4)
    axes.set(xlabel="accuracy (%)", ylabel="AUROC of correct against incorrect (%)")
    axes.grid()
    if len(shown) <= N_LOOKS:
        _add_legend(axes, shown, context)
    n, n_replicates = int(points["n"].max()), points["replicate"].nunique()
    extent = f"{settings.dataset}, {settings.split}, n = {n:,}; score {settings.score}"
    marks = ", mean enlarged" if n_replicates > 1 else ""
    marks += f"; {len(shown)} arms, whose marks repeat" if len(shown) > N_LOOKS else ""
    header(figure, f"{extent}; {counted(n_replicates, 'replicate')}{marks}")
    return laid_out(figure)


def _add_legend(axes: Axes, shown: list[str], context: Context) -> None:
    handles = [_mark(context.looks[arm]) for arm in shown]
    names, n_columns = [context.labels[arm] for arm in shown], -(-len(shown) // ROWS)
    beside = {"loc": "upper left", "bbox_to_anchor": (1.01, 1), "borderaxespad": 0}
    axes.legend(handles, names, ncols=n_columns, handletextpad=0.2, **beside)


def table(data: pd.DataFrame, settings, context: Context) -> pd.DataFrame:
    """Return arm, replicate or "mean", accuracy and AUROC in percent, and n: a row a point."""
    points = accuracy_and_auroc(data, settings)
    points = with_means(points, ["n", "accuracy", "auroc"])
    shown = points[points["arm"].isin(context.looks)].astype({"n": int})
    names = {"accuracy": "accuracy_percent", "auroc": "auroc_percent"}
    return shown.rename(columns=names).reset_index(drop=True)


def caption(settings, label: Callable[[str], str], extent: Extent) -> str:
    """Return what the figure shows. extent: data set, split, images and replicates."""
    return (
        f"Ranking against accuracy on {extent}: how well the score {settings.score} separates correct from incorrect "
        f"predictions. {extent.of_several('Small dots are replicates, large marks their mean. ')}"
        "Up and right is better."
    )


def _mark(look: Look) -> Line2D:
    style = {"color": look.colour, "marker": look.marker, "markersize": 5, "markeredgecolor": "white"}
    return Line2D([], [], linestyle="none", **style)
