"""Risk-coverage curves (El-Yaniv & Wiener 2010): the error rate of accepted images against the fraction accepted."""

from collections.abc import Callable

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from selfdoubt.evaluation import rankings
from selfdoubt.figures import curves
from selfdoubt.figures.bands import BAND, band, legend_with_values, numbers_of_bands
from selfdoubt.figures.context import Context
from selfdoubt.figures.style import STYLE, header, laid_out, new_figure
from selfdoubt.figures.texts import Extent, counted, listed, mean_sd

SHOWN_AS = "svg"
_SEVERAL = "Lines are means over replicates, bands reach from the lowest to the highest. "


def read(inputs, settings, context: Context) -> curves.Runs:
    """Read the predictions of arms, then replicates."""
    return curves.runs(inputs.predictions, settings.arms, settings.split, settings.score)


@mpl.rc_context(STYLE)
def draw(data: curves.Runs, settings, context: Context) -> Figure:
    """Draw each arm's mean over replicates in a band from the least to the most.

    Below, the same less the first arm's curve of the same replicate: curves of similar shape hide their differences.
    """
    figure = new_figure(settings)
    top, bottom = figure.subplots(2, sharex=True, height_ratios=[2.6, 1])
    grid = np.linspace(0.01, 1, 397)  # below 1 % of the images a curve is noise
    risks = _risks(data, grid)
    first = next(iter(data))
    for arm, of_arm in risks.items():  # of_arm: (replicates, grid)
        band(top, 100 * grid, of_arm, context.looks[arm])
        band(bottom, 100 * grid, _paired_differences(of_arm, risks[first]), context.looks[arm])
    areas = {arm: mean_sd([1000 * rankings.aurc(*run) for run in replicates], 2) for arm, replicates in data.items()}
    legend_with_values(top, areas, context, "AURC ×10³, lower is better")
    top.set(xlim=(0, 100), ylabel="selective risk: error rate\nof accepted images (%)")
    top.set_ylim(bottom=0)
    bottom.set(xlabel="coverage: accepted images (%)", ylabel="difference from\nfirst arm (points)")
    for axes in (top, bottom):
        axes.grid(axis="y")
    figure.align_ylabels()
    n_replicates = curves.n_replicates(data)
    lines = BAND if n_replicates > 1 else counted(n_replicates, "replicate")
    header(figure, f"{curves.extent(data, settings)}; score {settings.score}; {lines}")
    return laid_out(figure)


def table(data: curves.Runs, settings, context: Context) -> pd.DataFrame:
    """Return the curves at each percent of coverage."""
    grid = np.arange(1, 101)
    return numbers_of_bands("coverage_percent", grid, _risks(data, grid / 100))


def caption(settings, label: Callable[[str], str], extent: Extent) -> str:
    """Return what the figure shows. extent: data set, split, images and replicates."""
    arms = [label(arm) for arm in settings.arms]
    return (
        f"Risk-coverage curves of {listed(arms)} on {extent}: the error rate of the images that are accepted in "
        f"decreasing order of the score {settings.score}. {extent.of_several(_SEVERAL)}Lower is better. Bottom: the "
        f"difference from {arms[0]}{extent.of_several(', paired by replicate')}."
    )


def _risks(data: curves.Runs, grid: np.ndarray) -> dict[str, np.ndarray]:
    """Return the percentage of errors at coverages, (replicates, grid) of each arm."""
    return {arm: 100 * np.array([_risks_on(grid, *run) for run in replicates]) for arm, replicates in data.items()}


def _risks_on(grid: np.ndarray, confidence: np.ndarray, correct: np.ndarray) -> np.ndarray:
    coverage, risk = rankings.risk_coverage_curve(confidence, correct)
    return np.interp(grid, coverage, risk)


def _paired_differences(risks: np.ndarray, first: np.ndarray) -> np.ndarray:
    """(replicates, grid) less the first arm's of the same replicate; an arm of one stands against every one."""
    n = len(risks) if 1 in (len(risks), len(first)) else min(len(risks), len(first))
    return risks[:n] - first[:n]
