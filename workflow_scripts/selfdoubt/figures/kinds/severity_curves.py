"""A metric of corrupted images over the severity of the corruption."""

from collections.abc import Callable

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from selfdoubt.figures.bands import BAND, band, numbers_of_bands
from selfdoubt.figures.context import Context
from selfdoubt.figures.formats import axis_of
from selfdoubt.figures.points import read_metrics, with_arms
from selfdoubt.figures.style import STYLE, header, laid_out, new_figure
from selfdoubt.figures.texts import Extent, NothingToShow, counted, listed

SHOWN_AS = "svg"


def read(inputs, settings, context: Context) -> pd.DataFrame:
    """Read the metrics of every arm and replicate."""
    return read_metrics(inputs.metrics)


@mpl.rc_context(STYLE)
def draw(data: pd.DataFrame, settings, context: Context) -> Figure:
    """Draw each arm's mean over replicates at each severity, of the mean over corruptions, in a band.

    data: rows of the metrics table, any splits and metrics. Raises NothingToShow if no arm has all numbers.
    """
    severities, values = curves_of(data, settings, context)
    figure = new_figure(settings)
    axes = figure.subplots()
    for arm, own in values.items():
        band(axes, np.arange(len(severities)), own, context.looks[arm])
    axes.set_xticks(range(len(severities)), ["clean" if severity == 0 else str(severity) for severity in severities])
    axes.set(xlabel="severity of the corruption", ylabel=axis_of(settings.metric)[0])
    axes.grid(axis="y")
    looks = [context.looks[arm] for arm in values]
    lines = [Line2D([], [], color=look.colour, linestyle=look.dashes) for look in looks]
    axes.legend(lines, [context.labels[arm] for arm in values], loc="upper left", bbox_to_anchor=(1.01, 1))
    n_replicates = max(map(len, values.values()))
    score = "" if settings.score == "none" else f"; score {settings.score}"
    names = f"mean over {counted(len(context.corruptions['names']), 'corruption')}"
    lines = BAND if n_replicates > 1 else counted(n_replicates, "replicate")
    header(figure, f"{settings.dataset}, {names}{score}; {lines}")
    return laid_out(figure)


def table(data: pd.DataFrame, settings, context: Context) -> pd.DataFrame:
    """Return arm, severity (0: test), mean, least and most over replicates."""
    severities, values = curves_of(data, settings, context)
    return numbers_of_bands("severity", np.array(severities), values)


def curves_of(data: pd.DataFrame, settings, context: Context) -> tuple[list[int], dict[str, np.ndarray]]:
    """Return severities, 0 for the test images, and of each arm the metric, (replicates, severities).

    Arms and replicates without a number of some corruption are left out: a mean over fewer would not compare.
    """
    severities, names = [0, *sorted(context.corruptions["severities"])], context.corruptions["names"]
    factor = axis_of(settings.metric)[1]
    rows = with_arms(data[data["dataset"] == settings.dataset])
    rows = rows[(rows["metric"] == settings.metric) & (rows["score"] == settings.score)]
    whole = rows.pivot_table(index=["arm", "replicate"], columns="split", values="value")
    columns = [["test"] if severity == 0 else [f"{name}-{severity}" for name in names] for severity in severities]
    found = {}
    for arm in [arm for arm in settings.arms if arm in whole.index.get_level_values(0)]:
        own = whole.loc[arm].reindex(columns=[split for splits in columns for split in splits])
        own = own.dropna()
        if len(own):
            found[arm] = factor * np.stack([own[splits].mean(axis=1).to_numpy() for splits in columns], axis=1)
    if not found:
        raise NothingToShow(f"no arm has {settings.metric} at every severity on {settings.dataset}")
    return severities, found


def caption(settings, label: Callable[[str], str], extent: Extent) -> str:
    """Return what the figure shows. extent: data set and replicates."""
    score = "" if settings.score == "none" else f", score {settings.score},"
    band_text = extent.of_several(" Lines are means over replicates, bands reach from the lowest to the highest.")
    return (
        f"{axis_of(settings.metric)[0]}{score} of {listed([*map(label, settings.arms)])} on corrupted test images of "
        f"{settings.dataset}, the mean over corruptions, by severity; clean: all test images, of which the corrupted "
        f"ones are a part.{band_text}"
    )
