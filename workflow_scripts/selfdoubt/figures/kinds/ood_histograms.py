"""How confident predictions of test images and of out-of-distribution images are: a histogram of each, for each arm."""

from collections.abc import Callable

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from selfdoubt.evaluation import rankings
from selfdoubt.figures import curves
from selfdoubt.figures.context import Context
from selfdoubt.figures.histograms import edges_of, histogram, percentages
from selfdoubt.figures.style import ABOVE, BELOW, STYLE, header, laid_out, new_figure
from selfdoubt.figures.texts import Extent, counted, listed, mean_sd

SHOWN_AS = "svg"
Sides = dict[str, list[tuple[np.ndarray, np.ndarray]]]  # arm -> per replicate (confidence on test (n,), on OOD (m,))


def read(inputs, settings, context: Context) -> Sides:
    """Read the predictions of arms, then replicates."""
    splits = ("test", f"ood-{settings.ood}")
    sides = [curves.runs(inputs.predictions, settings.arms, split, settings.score) for split in splits]
    return {
        arm: [(inside, outside) for (inside, _), (outside, _) in zip(*(side[arm] for side in sides), strict=True)]
        for arm in sides[0]
    }


@mpl.rc_context(STYLE)
def draw(data: Sides, settings, context: Context) -> Figure:
    """Draw a panel for each arm: of test images and of OOD images, the fraction in each bin, replicates pooled."""
    figure = new_figure(settings)
    panels = figure.subplots(1, len(data), sharey=True, squeeze=False)[0]
    for (arm, replicates), axes in zip(data.items(), panels, strict=True):
        pooled = [np.concatenate(parts) for parts in zip(*replicates, strict=True)]
        edges = edges_of(np.concatenate(pooled), settings.n_bins)
        for values, colour in zip(pooled, (ABOVE, BELOW), strict=True):
            histogram(axes, percentages(values, edges), edges, colour)
        axes.set_title(context.labels[arm], loc="left", fontweight="bold", color=context.looks[arm].colour, pad=14)
        areas = [100 * rankings.auroc(rankings.rank_ood(*sides)) for sides in replicates]
        text = f"AUROC {mean_sd(areas, 1, '')} %"
        axes.annotate(text, (0, 1), (0, 3), "axes fraction", "offset points", fontsize=7)
        axes.grid(axis="y")
    panels[0].set_ylabel("images of the kind (%)")
    figure.supxlabel(f"confidence: {settings.score}", fontsize=7.5)
    marks = [mpl.patches.Patch(facecolor=colour, alpha=0.5, linewidth=0) for colour in (ABOVE, BELOW)]
    panels[-1].legend(marks, ["test", settings.ood], loc="upper left", bbox_to_anchor=(1.01, 1))
    n_inside, n_outside = (len(values) for values in next(iter(data.values()))[0])
    n_replicates = max(map(len, data.values()))
    pooled = f"{counted(n_replicates, 'replicate')}{' pooled, AUROC: mean ± sd' if n_replicates > 1 else ''}"
    header(figure, f"{settings.dataset}, n = {n_inside:,} test and {n_outside:,} {settings.ood}; {pooled}")
    return laid_out(figure)


def table(data: Sides, settings, context: Context) -> pd.DataFrame:
    """Return arm, images, bin and the percentage of its images in it."""
    rows = []
    for arm, replicates in data.items():
        pooled = [np.concatenate(parts) for parts in zip(*replicates, strict=True)]
        edges = edges_of(np.concatenate(pooled), settings.n_bins)
        for images, values in zip(("test", f"ood-{settings.ood}"), pooled, strict=True):
            own = {"from": edges[:-1], "to": edges[1:], "percent": percentages(values, edges)}
            rows.append(pd.DataFrame({"arm": arm, "images": images, **own}))
    return pd.concat(rows, ignore_index=True)


def caption(settings, label: Callable[[str], str], extent: Extent) -> str:
    """Return what the figure shows. extent: data set and replicates."""
    return (
        f"Confidence ({settings.score}) of {listed([*map(label, settings.arms)])} on test images of "
        f"{settings.dataset} and on images of {settings.ood}, which are of no class of it, in {settings.n_bins} bins"
        f"{extent.of_several(', replicates pooled')}; each kind of image adds up to 100 %, and the outermost bins hold "
        "what lies beyond. The less the two overlap, the better confidence detects what the model was not made for."
    )
