"""A metric over the number of training images, of data sets that differ in nothing else."""

from collections.abc import Callable

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from selfdoubt.figures.bands import BAND, numbers_of_bands
from selfdoubt.figures.context import Context
from selfdoubt.figures.formats import axis_of
from selfdoubt.figures.points import read_metrics, with_arms
from selfdoubt.figures.style import STYLE, header, laid_out, new_figure
from selfdoubt.figures.texts import Extent, NothingToShow, counted, listed

SHOWN_AS = "svg"


def read(inputs, settings, context: Context) -> pd.DataFrame:
    """Read the metrics of every arm and replicate, on every data set."""
    return read_metrics(inputs.metrics)


@mpl.rc_context(STYLE)
def draw(data: pd.DataFrame, settings, context: Context) -> Figure:
    """Draw each arm's mean over replicates at each number of images, with the replicates from the least to the most.

    data: rows of the metrics table, any splits and metrics. Raises NothingToShow if no arm has a number.
    """
    points = table(data, settings, context)
    figure = new_figure(settings)
    axes = figure.subplots()
    shown = list(dict.fromkeys(points["arm"]))
    for arm in shown:
        own, look = points[points["arm"] == arm], context.looks[arm]
        reach = [own["mean"] - own["least"], own["most"] - own["mean"]]
        style = {"color": look.colour, "linestyle": look.dashes, "marker": look.marker, "markersize": 4}
        axes.errorbar(own["n_train_images"], own["mean"], reach, elinewidth=0.7, **style)
    doses = sorted(set(points["n_train_images"]))
    axes.set_xscale("log", base=2)
    axes.set_xticks(doses, [f"{dose:,}" for dose in doses])
    axes.set_xticks([], minor=True)
    axes.set(xlabel="training images", ylabel=axis_of(settings.metric)[0])
    axes.grid()
    looks = [context.looks[arm] for arm in shown]
    lines = [
        Line2D([], [], color=look.colour, linestyle=look.dashes, marker=look.marker, markersize=4) for look in looks
    ]
    axes.legend(lines, [context.labels[arm] for arm in shown], loc="upper left", bbox_to_anchor=(1.01, 1))
    n_replicates = int(points["n_replicates"].max())
    score = "" if settings.score == "none" else f"; score {settings.score}"
    bars = BAND.replace("band", "bars") if n_replicates > 1 else counted(n_replicates, "replicate")
    header(figure, f"{listed(settings.datasets)}, {settings.split}{score}; {bars}")
    return laid_out(figure)


def table(data: pd.DataFrame, settings, context: Context) -> pd.DataFrame:
    """Return arm, n_train_images, mean, least, most and n_replicates, by arm and number of images."""
    rows = with_arms(data[data["dataset"].isin(settings.datasets) & (data["split"] == settings.split)])
    rows = rows[(rows["metric"] == settings.metric) & (rows["score"] == settings.score)].dropna(subset="value")
    rows = rows.assign(
        n_train_images=rows["dataset"].map(context.doses), value=rows["value"] * axis_of(settings.metric)[1]
    )
    parts = []
    for arm in settings.arms:
        groups = rows[rows["arm"] == arm].groupby("n_train_images")["value"]
        for dose, values in groups:
            own = numbers_of_bands("n_train_images", np.array([dose]), {arm: values.to_numpy()[:, None]})
            parts.append(own.assign(n_replicates=len(values)))
    if not parts:
        raise NothingToShow(f"no arm has {settings.metric} on {listed(settings.datasets)}, split {settings.split}")
    return pd.concat(parts, ignore_index=True)


def caption(settings, label: Callable[[str], str], extent: Extent) -> str:
    """Return what the figure shows. extent: replicates."""
    score = "" if settings.score == "none" else f", score {settings.score},"
    bars = extent.of_several(" Marks are means over replicates, bars reach from the lowest to the highest.")
    return (
        f"{axis_of(settings.metric)[0]}{score} of {listed([*map(label, settings.arms)])} on {settings.split} images, "
        f"over the number of training images: {listed(settings.datasets)}.{bars}"
    )
