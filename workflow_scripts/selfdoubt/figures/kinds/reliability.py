"""Reliability diagrams (DeGroot & Fienberg 1983): accuracy against confidence."""

from collections.abc import Callable

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from selfdoubt.evaluation import calibration
from selfdoubt.figures import curves
from selfdoubt.figures.context import Context
from selfdoubt.figures.style import GREY, INK, STYLE, header, laid_out, name_panel, new_figure
from selfdoubt.figures.texts import Extent, counted, listed, mean_sd

SHOWN_AS = "svg"


def read(inputs, settings, context: Context) -> curves.Runs:
    """Read the predictions of arms, then replicates."""
    return curves.runs(inputs.predictions, settings.arms, settings.split, curves.MAX_PROBABILITY)


@mpl.rc_context(STYLE)
def draw(data: curves.Runs, settings, context: Context) -> Figure:
    """Draw accuracy against confidence in bins, one panel an arm, above the fraction of images in each bin.

    Bars pool the replicates; the printed ECE is the mean and standard deviation of each replicate's own.
    """
    figure = new_figure(settings)
    panels = figure.subplots(2, len(data), sharex=True, sharey="row", squeeze=False, height_ratios=[3.4, 1])
    for (arm, replicates), top, bottom in zip(data.items(), panels[0], panels[1], strict=True):
        colour = context.looks[arm].colour
        _panel(top, bottom, replicates, settings.n_bins, colour)
        name_panel(top, context.labels[arm], len(data), color=colour, pad=14)  # above the ECE
    panels[0, 0].set_ylabel("accuracy (%)")
    panels[1, 0].set_ylabel("images (%)")
    figure.supxlabel("confidence: largest probability (%)", fontsize=7.5)
    n_replicates = curves.n_replicates(data)
    pooled = f"{counted(n_replicates, 'replicate')}{' pooled, ECE: mean ± sd' if n_replicates > 1 else ''}"
    note = f"{pooled}; hatched: gap of accuracy to confidence"
    header(figure, f"{curves.extent(data, settings)}; {note}")
    return laid_out(figure)


def table(data: curves.Runs, settings, context: Context) -> pd.DataFrame:
    """Return arm, bin, and the mean confidence, the accuracy and the fraction of images of its bins, in percent."""
    edges = np.linspace(0, 100, settings.n_bins + 1)
    parts = []
    for arm, replicates in data.items():
        pooled = [np.concatenate(runs) for runs in zip(*replicates, strict=True)]
        names = ("confidence_percent", "accuracy_percent", "images_percent")
        found = zip(names, calibration.reliability_bins(*pooled, settings.n_bins), strict=True)
        bins = {"arm": arm, "from_percent": edges[:-1], "to_percent": edges[1:]}
        parts.append(pd.DataFrame(bins | {name: 100 * np.asarray(values) for name, values in found}))
    return pd.concat(parts, ignore_index=True)


def caption(settings, label: Callable[[str], str], extent: Extent) -> str:
    """Return what the figure shows. extent: data set, split, images and replicates."""
    return (
        f"Reliability of {listed([label(arm) for arm in settings.arms])} on {extent}: accuracy in {settings.n_bins} "
        f"bins of the largest probability{extent.of_several(', replicates pooled')}. "
        "On the dashed line confidence equals accuracy; bars above "
        "it are underconfident, bars below it overconfident. Bottom: the fraction of images in each bin."
    )


def _panel(top: Axes, bottom: Axes, replicates: list, n_bins: int, colour: str) -> None:
    pooled = [np.concatenate(parts) for parts in zip(*replicates, strict=True)]
    confidence, accuracy, fraction = (100 * np.asarray(part) for part in calibration.reliability_bins(*pooled, n_bins))
    width = 100 / n_bins
    centres, full = (np.arange(n_bins) + 0.5) * width, fraction > 0
    gap = {"fill": False, "edgecolor": INK, "alpha": 0.45, "hatch": "/////", "linewidth": 0.4}
    top.bar(centres[full], accuracy[full], width * 0.94, color=colour, alpha=0.85)
    top.bar(centres[full], (confidence - accuracy)[full], width * 0.94, bottom=accuracy[full], **gap)
    top.plot([0, 100], [0, 100], color=INK, linewidth=0.7, linestyle=(0, (3, 2)))
    errors = [calibration.ece(*run, n_bins) for run in replicates]
    top.annotate(f"ECE {mean_sd(errors, 4, '')}", (0, 1), (0, 3), "axes fraction", "offset points", fontsize=7)
    top.set(xlim=(0, 100), ylim=(0, 100), xticks=[0, 25, 50, 75, 100])
    bottom.bar(centres, fraction, width * 0.94, color=GREY, alpha=0.55)
    for axes in (top, bottom):
        axes.grid(axis="y")
