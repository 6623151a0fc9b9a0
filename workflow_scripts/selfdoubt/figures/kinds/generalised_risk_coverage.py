"""Generalised risk-coverage curves (Traub et al. 2024): errors that are accepted, of all images, against coverage."""

from collections.abc import Callable

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from selfdoubt.evaluation import rankings
from selfdoubt.figures import curves
from selfdoubt.figures.bands import BAND, band, legend_with_values, numbers_of_bands
from selfdoubt.figures.context import Context
from selfdoubt.figures.style import GREY, STYLE, header, laid_out, new_figure
from selfdoubt.figures.texts import Extent, counted, listed, mean_sd

SHOWN_AS = "svg"
_SEVERAL = "Lines are means over replicates, bands reach from the lowest to the highest. "


def read(inputs, settings, context: Context) -> curves.Runs:
    """Read the predictions of arms, then replicates."""
    return curves.runs(inputs.predictions, settings.arms, settings.split, settings.score)


@mpl.rc_context(STYLE)
def draw(data: curves.Runs, settings, context: Context) -> Figure:
    """Draw each arm's mean over replicates in a band from the least to the most, between an oracle and chance.

    Both are of the first arm's errors: an order that has them all last, and one that knows nothing.
    """
    figure = new_figure(settings)
    axes = figure.subplots()
    grid = np.linspace(0, 1, 401)
    for arm, risks in _risks(data, grid).items():
        band(axes, 100 * grid, risks, context.looks[arm])
    _bounds(axes, 100 * error_rate(data))
    areas = {arm: mean_sd([1000 * rankings.augrc(*run) for run in replicates], 2) for arm, replicates in data.items()}
    legend_with_values(axes, areas, context, "AUGRC ×10³, lower is better")
    axes.set(xlim=(0, 100), xlabel="coverage: accepted images (%)", ylabel="accepted errors (% of all images)")
    axes.set_ylim(bottom=0)
    axes.grid(axis="y")
    n_replicates = curves.n_replicates(data)
    lines = BAND if n_replicates > 1 else counted(n_replicates, "replicate")
    header(figure, f"{curves.extent(data, settings)}; score {settings.score}; {lines}")
    return laid_out(figure)


def table(data: curves.Runs, settings, context: Context) -> pd.DataFrame:
    """Return the curves at each percent of coverage."""
    grid = np.arange(0, 101)
    return numbers_of_bands("coverage_percent", grid, _risks(data, grid / 100))


def error_rate(data: curves.Runs) -> float:
    """Return the fraction of incorrect predictions of the first arm, its mean over replicates."""
    first = next(iter(data.values()))
    return float(np.mean([1 - correct.mean() for _, correct in first]))


def caption(settings, label: Callable[[str], str], extent: Extent) -> str:
    """Return what the figure shows. extent: data set, split, images and replicates."""
    arms = [label(arm) for arm in settings.arms]
    return (
        f"Generalised risk-coverage curves of {listed(arms)} on {extent}: the images that are accepted, in decreasing "
        f"order of the score {settings.score}, and classified incorrectly, of all. {extent.of_several(_SEVERAL)}"
        f"Lower is better. Dashed: a random order of {arms[0]}'s errors; dotted: an oracle that has them last."
    )


def _risks(data: curves.Runs, grid: np.ndarray) -> dict[str, np.ndarray]:
    return {arm: np.array([_risk_on(grid, *run) for run in replicates]) for arm, replicates in data.items()}


def _risk_on(grid: np.ndarray, confidence: np.ndarray, correct: np.ndarray) -> np.ndarray:
    """Return the percentage of all images that are accepted and incorrect, at coverages."""
    coverage, risk = rankings.risk_coverage_curve(confidence, correct)
    return 100 * np.interp(grid, np.append(0, coverage), np.append(0, coverage * risk))


def _bounds(axes: Axes, errors: float) -> None:
    """Draw what a random order and an oracle accept; errors: in percent."""
    for place, (x, y, dashes, text) in enumerate(
        [
            ([0, 100], [0, errors], (0, (4, 2)), "random"),
            ([0, 100 - errors, 100], [0, 0, errors], (0, (1, 1)), "oracle"),
        ]
    ):
        axes.plot(x, y, color=GREY, linewidth=0.9, linestyle=dashes, zorder=1)
        box = {"facecolor": "white", "alpha": 0.75, "linewidth": 0, "pad": 0.8}
        at = (50, errors / 2) if place == 0 else (100 - errors / 2, errors / 2)
        offset = {"xytext": (-3, 3), "ha": "right"} if place == 0 else {"xytext": (4, -6), "ha": "left"}
        axes.annotate(
            text, at, textcoords="offset points", color=GREY, fontsize=7, annotation_clip=False, bbox=box, **offset
        )
