"""A metric along one setting of protocols, enhancers or models."""

from collections.abc import Callable

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from selfdoubt.figures.context import Context, look_at
from selfdoubt.figures.formats import axis_of
from selfdoubt.figures.points import of_arm, read_metrics, values_of
from selfdoubt.figures.style import GREY, STYLE, header, laid_out, new_figure
from selfdoubt.figures.texts import Extent, NothingToShow, counted, listed

SHOWN_AS = "svg"
SETTINGS = {
    "epsilon_255": "ε (1/255)",
    "n_rounds": "rounds",
    "n_views": "views",
    "n_steps": "steps",
    "temperature": "temperature τ",
}


def read(inputs, settings, context: Context) -> pd.DataFrame:
    """Read the metrics of every arm and replicate."""
    return read_metrics(inputs.metrics)


@mpl.rc_context(STYLE)
def draw(data: pd.DataFrame, settings, context: Context) -> Figure:
    """Draw a curve a series: means over replicates, a band of their deviation.

    data: rows of the metrics table. Raises NothingToShow if no arm of a series has the metric.
    """
    points, curves = _curves(data, settings, context)
    figure = new_figure(settings)
    axes = figure.subplots()
    for place, (each, curve) in enumerate(curves.items()):
        look, x, mean, spread = look_at(place), curve.index, curve["mean"], curve["std"].fillna(0)
        axes.fill_between(x, mean - spread, mean + spread, color=look.colour, alpha=0.15, linewidth=0)
        axes.plot(x, mean, color=look.colour, linestyle=look.dashes, marker=look.marker, markersize=3.5, label=each)
    if settings.reference:
        value = of_arm(points, settings.reference)["value"].mean()
        axes.axhline(value, color=GREY, linewidth=0.8, label=context.labels[settings.reference], zorder=1)
    places = np.unique(np.concatenate([curve.index for curve in curves.values()]))
    axes.set_xticks(places, [f"{place:g}" for place in places])
    axes.set_xlabel(_words(settings.along))
    axes.set_ylabel(axis_of(settings.metric)[0])
    axes.grid()
    axes.legend()
    n = points["replicate"].nunique()
    extent = f"{settings.dataset}, {settings.split}, n = {int(points['n'].max()):,}"
    header(figure, f"{extent}; {counted(n, 'replicate')}{', mean and deviation' if n > 1 else ''}")
    return laid_out(figure)


def table(data: pd.DataFrame, settings, context: Context) -> pd.DataFrame:
    """Return series, the setting along which it is drawn, and mean and deviation of the metric over replicates."""
    _, curves = _curves(data, settings, context)
    parts = [curve.reset_index().assign(series=each) for each, curve in curves.items()]
    found = pd.concat(parts, ignore_index=True).rename(columns={"at": settings.along, "std": "sd"})
    return found[["series", settings.along, "mean", "sd"]]


def _curves(data: pd.DataFrame, settings, context: Context) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """Return the values of arms in the figure's unit, and the curve of each series that has one."""
    score = "none" if settings.metric == "accuracy" else settings.score
    points = values_of(data, settings, settings.metric, score)
    points = points.assign(value=axis_of(settings.metric)[1] * points["value"])
    curves = {each: _curve(points, arms, context.values) for each, arms in vars(settings.series).items()}
    curves = {each: curve for each, curve in curves.items() if len(curve)}
    if not curves:
        raise NothingToShow(f"no arm has {settings.metric} on {settings.dataset}, split {settings.split}")
    return points, curves


def _curve(points: pd.DataFrame, arms: list[str], values: dict[str, float]) -> pd.DataFrame:
    """Return mean and std of the arms that have a value, by their setting."""
    own = points[points["arm"].isin(arms)].dropna(subset="value")
    return own.assign(at=own["arm"].map(values)).groupby("at")["value"].agg(["mean", "std"]).sort_index()


def _words(along: str) -> str:
    """Return what a setting is called, by its last key."""
    key = along.rpartition(".")[2]
    return SETTINGS.get(key, key.replace("_", " "))


def caption(settings, label: Callable[[str], str], extent: Extent) -> str:
    """Return what the figure shows. extent: data set, split, images and replicates."""
    score = "" if settings.metric == "accuracy" else f" by the score {settings.score}"
    line = f" The line is {label(settings.reference)}." if settings.reference else ""
    what = f"{axis_of(settings.metric)[0]}{score} on {extent} along {_words(settings.along)}"
    return (
        f"{what}: {listed([*vars(settings.series)])}. "
        f"{extent.of_several('Curves are means over replicates, bands ± sd.')}{line}"
    )
