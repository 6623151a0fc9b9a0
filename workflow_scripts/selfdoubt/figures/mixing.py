"""Figures of mixed images: what is done to labels, and what comes of it by the size of the object."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from selfdoubt.evaluation import rankings
from selfdoubt.figures.style import GREY, STYLE, Looks, arm_looks, header, laid_out, new_figure, replicates_text
from selfdoubt.runtime.errors import UserError

Runs = dict[str, list[tuple[np.ndarray, np.ndarray]]]  # arm -> per replicate (confidence (n,), correct (n,))


@dataclass(frozen=True)
class SizedRuns:
    """Confidence and correctness of arms, and how large the objects are."""

    runs: Runs
    sizes: np.ndarray  # (n,) share of the image's pixels, in the order of the runs


@mpl.rc_context(STYLE)
def mixed_labels(data: dict[str, list[dict]], settings, looks: Looks | None = None) -> Figure:
    """Draw the weight of the target's label (mean and deviation), label error and ghost labels: a row a model.

    data: model -> per replicate, statistic of SCHEMAS["mixed-labels"] -> value, or None where it is not known.
    """
    looks = looks or arm_looks(data)
    figure = new_figure(settings)
    panels = figure.subplots(1, 3, sharey=True)
    for row, (model, replicates) in enumerate(data.items()):
        colour = looks[model].colour
        means = {name: _mean([replicate[name] for replicate in replicates]) for name in replicates[0]}
        spread = means["weight-sd"]
        panels[0].errorbar(means["weight-mean"], row, xerr=spread, fmt="o", color=colour, markersize=4, linewidth=1)
        for axes, name in zip(panels[1:], ("label-error", "ghost-labels"), strict=True):
            axes.barh(row, 100 * means[name], 0.6, color=colour)
            known = not np.isnan(means[name])
            end, text = (100 * means[name], f"{100 * means[name]:.1f}") if known else (0, "not known")
            axes.annotate(text, (end, row), (3, 0), textcoords="offset points", va="center")
    panels[0].set_yticks(range(len(data)), list(data))
    panels[0].set(xlim=(0, 1), xlabel="weight of the target's label\n(mean ± sd over images)")
    panels[0].invert_yaxis()
    panels[1].set_xlabel("error of the weight against what\nis visible (mean, points)")
    panels[2].set_xlabel("images with a label of which\nnothing is visible (%)")
    for axes in panels:
        axes.grid(axis="x")
    for axes in panels[1:]:
        axes.margins(x=0.25)
        axes.set_xlim(left=0)
    n_replicates = max(len(replicates) for replicates in data.values())
    header(figure, f"{settings.dataset}, mixed images of the first epoch; mean over {replicates_text(n_replicates)}")
    return laid_out(figure)


def _mean(values: list[float | None]) -> float:
    """Return the mean of what is known, nan where nothing is."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else np.nan


@mpl.rc_context(STYLE)
def object_size(data: SizedRuns, settings, looks: Looks | None = None) -> Figure:
    """Draw differences from the first arm, of the same replicate, in bins of as many images each, by the object's size.

    Left: accuracy in points. Right: AURC, a fraction times 1000; lower is better. Lines are means over replicates, bars
    reach from the least to the most. Raises UserError if there are fewer images than bins.
    """
    looks = looks or arm_looks(data.runs)
    n = len(data.sizes)
    if n < settings.n_bins:
        raise UserError(f"object-size: {n} images for n_bins {settings.n_bins}; lower it")
    bins = np.array_split(np.argsort(data.sizes, kind="stable"), settings.n_bins)
    figure = new_figure(settings)
    left, right = figure.subplots(1, 2, sharex=True)
    _differences(left, data, bins, lambda _, correct: 100 * correct.mean(), looks)
    _differences(right, data, bins, lambda confidence, correct: 1000 * rankings.aurc(confidence, correct), looks)
    first = next(iter(data.runs))
    left.set_ylabel(f"accuracy less that of {first} (points)")
    right.set_ylabel(f"AURC ×10³ less that of {first}")
    left.legend()
    figure.supxlabel("size of the object: share of the image's pixels (%)", fontsize=7.5)
    n_replicates = max(len(replicates) for replicates in data.runs.values())
    extent = f"{settings.dataset}, {settings.split}, n = {n:,}; {settings.n_bins} bins of as many images"
    header(figure, f"{extent}, score {settings.score}; {replicates_text(n_replicates)}, bars: least to most")
    return laid_out(figure)


def _differences(axes: Axes, data: SizedRuns, bins: list[np.ndarray], of: Callable, looks: Looks) -> None:
    """Draw of(confidence, correct) in each bin, less that of the first arm."""
    centres = np.array([100 * data.sizes[rows].mean() for rows in bins])
    values = {
        arm: np.array([[of(confidence[rows], correct[rows]) for rows in bins] for confidence, correct in replicates])
        for arm, replicates in data.runs.items()
    }  # arm -> (replicates, bins)
    first = next(iter(values.values()))
    axes.axhline(0, color=GREY, linewidth=0.6)
    for arm, own in list(values.items())[1:]:
        gains, look = own - first, looks[arm]
        middle = gains.mean(0)
        reach = [middle - gains.min(0), gains.max(0) - middle]
        style = {"color": look.colour, "linestyle": look.dashes, "marker": look.marker, "markersize": 3.5}
        axes.errorbar(centres, middle, reach, elinewidth=0.6, label=arm, **style)
    axes.grid(axis="y")
