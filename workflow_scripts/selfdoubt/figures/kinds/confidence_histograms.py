"""How confident correct and incorrect predictions are: a histogram of each, for each arm."""

from collections.abc import Callable

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from selfdoubt.figures import curves
from selfdoubt.figures.context import Context
from selfdoubt.figures.histograms import histogram, percentages
from selfdoubt.figures.style import ABOVE, BELOW, STYLE, header, laid_out, name_panel, new_figure
from selfdoubt.figures.texts import Extent, counted, listed

SHOWN_AS = "svg"
COLOURS = {True: ABOVE, False: BELOW}  # of correct and of incorrect predictions
WORDS = {True: "correct", False: "incorrect"}


def read(inputs, settings, context: Context) -> curves.Runs:
    """Read the predictions of arms, then replicates."""
    return curves.runs(inputs.predictions, settings.arms, settings.split, curves.MAX_PROBABILITY)


@mpl.rc_context(STYLE)
def draw(data: curves.Runs, settings, context: Context) -> Figure:
    """Draw a panel for each arm: of its correct and of its incorrect predictions, the fraction in each bin.

    Replicates are pooled, with a thin line each; a dashed line marks the mean. The two histograms are of equal area,
    whatever the accuracy.
    """
    figure = new_figure(settings)
    panels = figure.subplots(1, len(data), sharex=True, sharey=True, squeeze=False)[0]
    for (arm, replicates), axes in zip(data.items(), panels, strict=True):
        _panel(axes, replicates, settings.n_bins)
        name_panel(axes, context.labels[arm], len(panels), color=context.looks[arm].colour)
    panels[0].set_ylabel("predictions of the kind (%)")
    figure.supxlabel("confidence: probability of the predicted class (%)", fontsize=7.5)
    marks = [mpl.patches.Patch(facecolor=colour, alpha=0.5, linewidth=0) for colour in COLOURS.values()]
    panels[-1].legend(marks, WORDS.values(), loc="upper left", bbox_to_anchor=(1.01, 1))
    n_replicates = curves.n_replicates(data)
    pooled = f"{counted(n_replicates, 'replicate')}{' pooled' if n_replicates > 1 else ''}"
    header(figure, f"{curves.extent(data, settings)}; {pooled}; dashed: means")
    return laid_out(figure)


def table(data: curves.Runs, settings, context: Context) -> pd.DataFrame:
    """Return arm, kind of prediction, bin, and the percentage of its predictions in it."""
    edges, parts = np.linspace(0, 1, settings.n_bins + 1), []
    for arm, replicates in data.items():
        confidence, correct = (np.concatenate(runs) for runs in zip(*replicates, strict=True))
        for kind, word in WORDS.items():
            bins = {"from_percent": 100 * edges[:-1], "to_percent": 100 * edges[1:]}
            percent = percentages(confidence[correct == kind], edges)
            parts.append(pd.DataFrame({"arm": arm, "predictions": word, **bins, "percent": percent}))
    return pd.concat(parts, ignore_index=True)


def _panel(axes: Axes, replicates: list, n_bins: int) -> None:
    confidence, correct = (np.concatenate(parts) for parts in zip(*replicates, strict=True))
    edges = np.linspace(0, 1, n_bins + 1)
    for kind, colour in COLOURS.items():
        own = confidence[correct == kind]
        if len(own) == 0:
            continue
        histogram(axes, percentages(own, edges), 100 * edges, colour)
        for of_one, correct_of_one in replicates if len(replicates) > 1 else []:
            heights = percentages(of_one[correct_of_one == kind], edges)
            axes.stairs(heights, 100 * edges, color=colour, linewidth=0.35, alpha=0.5)
        axes.axvline(100 * own.mean(), color=colour, linewidth=0.9, linestyle=(0, (3, 2)))
    axes.set(xlim=(0, 100), xticks=[0, 25, 50, 75, 100])
    axes.grid(axis="y")


def caption(settings, label: Callable[[str], str], extent: Extent) -> str:
    """Return what the figure shows. extent: data set, split, images and replicates."""
    pooled = extent.of_several(", replicates pooled, with a thin line each")
    return (
        f"Confidence of correct and of incorrect predictions of {listed([*map(label, settings.arms)])} on {extent}, in "
        f"{settings.n_bins} bins{pooled}; each kind of prediction adds up to 100 %, "
        "and a dashed line marks its mean. The less the two overlap, the better confidence separates them."
    )
