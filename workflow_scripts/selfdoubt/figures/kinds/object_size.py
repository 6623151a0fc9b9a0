"""What arms gain over the first one, by the size of the object or by the clutter around it."""

from collections.abc import Callable
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from selfdoubt.data import clutter, datasets
from selfdoubt.evaluation import rankings
from selfdoubt.figures import curves
from selfdoubt.figures.bands import numbers_of_bands
from selfdoubt.figures.context import Context
from selfdoubt.figures.style import GREY, STYLE, header, laid_out, new_figure
from selfdoubt.figures.texts import Extent, NothingToShow, counted, listed
from selfdoubt.runtime.errors import UserError

SHOWN_AS = "svg"
_QUANTITIES = {  # of confidence and correctness
    "accuracy, points": lambda _, correct: 100 * correct.mean(),
    "AURC ×10³": lambda *run: 1000 * rankings.aurc(*run),
}
_MEASURES = {  # by -> words, and of what it is a fraction or a mean
    "size": ("the size of the object", "fraction of the image's pixels"),
    "clutter": ("the clutter around the object", "mean difference of adjacent pixels of the background"),
}


@dataclass(frozen=True)
class SizedRuns:
    """Confidence and correctness of arms, and how large the objects are, or how cluttered what is around them."""

    runs: curves.Runs
    measured: np.ndarray  # (n,) fraction of the image's pixels, or of the range of pixels, in the order of the runs


def read(inputs, settings, context: Context) -> SizedRuns:
    """Read predictions of arms, then replicates, and the images that they are of."""
    runs = curves.runs(inputs.predictions, settings.arms, settings.split, settings.score)
    [images] = inputs.images
    split = datasets.read_split(images, settings.split)
    objects = datasets.foreground(split, context.mask_truth)
    sized = settings.by == "size"
    return SizedRuns(runs, objects.mean((1, 2)) if sized else clutter.clutter(split.images[:], objects))


@mpl.rc_context(STYLE)
def draw(data: SizedRuns, settings, context: Context) -> Figure:
    """Draw differences from the first arm, of the same replicate, in bins of equally many images, by size or clutter.

    Left: accuracy in points. Right: AURC, a fraction times 1000; lower is better. Lines are means over replicates, bars
    reach from the least to the most. Raises UserError if there are fewer images than bins, and NothingToShow if no
    background is cluttered.
    """
    bins = _bins(data, settings)
    figure = new_figure(settings)
    left, right = figure.subplots(1, 2, sharex=True)
    for axes, of in zip((left, right), _QUANTITIES.values(), strict=True):
        _draw_differences(axes, data, bins, of, context)
    first = context.labels[next(iter(data.runs))]
    left.set_ylabel(f"accuracy less that of\n{first} (points)")
    right.set_ylabel(f"AURC ×10³ less that of\n{first}")
    right.legend(loc="upper left", bbox_to_anchor=(1.01, 1), borderaxespad=0)
    words, unit = _MEASURES[settings.by]
    figure.supxlabel(f"{words.removeprefix('the ')}: {unit} (%)", fontsize=7.5)
    extent = f"{curves.extent(data.runs, settings)}; {settings.n_bins} bins of as many images, score {settings.score}"
    n_replicates = curves.n_replicates(data.runs)
    bars = ", bars: least to most" if n_replicates > 1 else ""
    header(figure, f"{extent}; {counted(n_replicates, 'replicate')}{bars}")
    return laid_out(figure)


def table(data: SizedRuns, settings, context: Context) -> pd.DataFrame:
    """Return arm, quantity, size or clutter, and mean, least and most of the difference from the first arm."""
    bins, parts = _bins(data, settings), []
    for name, of in _QUANTITIES.items():
        centres, gains = _differences(data, bins, of)
        parts.append(numbers_of_bands(f"{settings.by}_percent", centres, gains).assign(difference=name))
    return pd.concat(parts, ignore_index=True)


def _bins(data: SizedRuns, settings) -> list[np.ndarray]:
    """Return the images of each bin; raises UserError if there are fewer images than bins."""
    n = len(data.measured)
    if settings.by == "clutter" and not data.measured.any():
        raise NothingToShow("no background is cluttered: it is of one colour in every image")
    if n < settings.n_bins:
        raise UserError(f"object-size: {n} images for n_bins {settings.n_bins}; lower it")
    return np.array_split(np.argsort(data.measured, kind="stable"), settings.n_bins)


def caption(settings, label: Callable[[str], str], extent: Extent) -> str:
    """Return what the figure shows. extent: data set, split, images and replicates."""
    arms, (words, unit) = [label(arm) for arm in settings.arms], _MEASURES[settings.by]
    what = words if settings.by == "size" else f"{words}, the {unit}"
    return (
        f"Differences of {listed(arms[1:])} from {arms[0]} by {what}, on {extent}: {settings.n_bins} "
        f"bins of as many images. Accuracy: higher is better. AURC of the score {settings.score}: lower is better."
    ) + extent.of_several(" Paired by replicate; bars reach from the lowest to the highest.")


def _draw_differences(axes: Axes, data: SizedRuns, bins: list[np.ndarray], of: Callable, context: Context) -> None:
    """Draw of(confidence, correct) in each bin, less that of the first arm."""
    centres, differences = _differences(data, bins, of)
    axes.axhline(0, color=GREY, linewidth=0.6)
    n = len(differences)
    beside = 0.008 * np.ptp(centres) * (np.arange(n) - (n - 1) / 2)  # so that bars do not hide one another
    for (arm, gains), moved in zip(differences.items(), beside, strict=True):
        look, middle = context.looks[arm], gains.mean(0)
        reach = [middle - gains.min(0), gains.max(0) - middle]
        style = {"color": look.colour, "linestyle": look.dashes, "marker": look.marker, "markersize": 3.5}
        axes.errorbar(centres + moved, middle, reach, elinewidth=0.6, label=context.labels[arm], **style)
    axes.grid(axis="y")


def _differences(data: SizedRuns, bins: list[np.ndarray], of: Callable) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return the mean size or clutter of each bin, percent, and differences from the first arm, (replicates, bins)."""
    centres = np.array([100 * data.measured[rows].mean() for rows in bins])
    values = {
        arm: np.array([[of(confidence[rows], correct[rows]) for rows in bins] for confidence, correct in replicates])
        for arm, replicates in data.runs.items()
    }  # arm -> (replicates, bins)
    first = next(iter(values.values()))
    return centres, {arm: own - first for arm, own in list(values.items())[1:]}
