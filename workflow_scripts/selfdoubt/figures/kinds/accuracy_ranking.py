"""What accuracy and what ranking contribute to differences of AUGRC."""

from collections.abc import Callable

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from selfdoubt.figures.context import Context
from selfdoubt.figures.points import accuracy_and_auroc, of_arm, paired, read_metrics
from selfdoubt.figures.style import ABOVE, BELOW, GREY, INK, STYLE, header, laid_out, new_figure
from selfdoubt.figures.texts import Extent, counted

SHOWN_AS = "svg"


def read(inputs, settings, context: Context) -> pd.DataFrame:
    """Read the metrics of every arm and replicate."""
    return read_metrics(inputs.metrics)


@mpl.rc_context(STYLE)
def draw(data: pd.DataFrame, settings, context: Context) -> Figure:
    """Draw for each arm its difference of AUGRC from the reference, and the parts of accuracy and of ranking.

    data: rows of the metrics table, any splits and scores. Raises NothingToShow if no arm has accuracy and AUROC.
    """
    points = accuracy_and_auroc(data, settings)
    parts = _parts(points, settings)
    figure = new_figure(settings)
    axes = figure.subplots()
    for row, found in enumerate(parts.values()):
        places = (row - 0.24, row, row + 0.24)
        columns = (found["accuracy"] + found["ranking"], found["accuracy"], found["ranking"])
        for place, values, colour in zip(places, columns, (INK, ABOVE, BELOW), strict=True):
            axes.barh(place, values.mean(), height=0.2, color=colour, alpha=0.75, linewidth=0)
            axes.scatter(values, np.full(len(values), place), s=5, color=colour, linewidth=0, zorder=3)
    axes.axvline(0, color=GREY, linewidth=0.6)
    axes.set_yticks(range(len(parts)), [context.labels[arm] for arm in parts])
    axes.invert_yaxis()
    axes.set_xlabel(f"AUGRC ×10³, difference from {context.labels[settings.reference]} (lower is better)")
    axes.grid(axis="x")
    marks = [mpl.patches.Patch(color=colour, alpha=0.75, linewidth=0) for colour in (INK, ABOVE, BELOW)]
    axes.legend(marks, ["difference", "due to accuracy", "due to ranking"], loc="upper left", bbox_to_anchor=(1.01, 1))
    n, n_replicates = int(points["n"].max()), points["replicate"].nunique()
    extent = f"{settings.dataset}, {settings.split}, n = {n:,}; score {settings.score}"
    header(figure, f"{extent}; {counted(n_replicates, 'replicate')}{', bars: mean' if n_replicates > 1 else ''}")
    return laid_out(figure)


def table(data: pd.DataFrame, settings, context: Context) -> pd.DataFrame:
    """Return arm, replicate, the difference of AUGRC ×10³, and its parts of accuracy and of ranking."""
    parts = [
        found.rename_axis("replicate")
        .reset_index()
        .assign(arm=arm, difference=lambda own: own["accuracy"] + own["ranking"])
        for arm, found in _parts(accuracy_and_auroc(data, settings), settings).items()
    ]
    columns = ["arm", "replicate", "difference", "accuracy", "ranking"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def _parts(points: pd.DataFrame, settings) -> dict[str, pd.DataFrame]:
    parts = {arm: parts_of(points, arm, settings.reference) for arm in settings.arms if arm != settings.reference}
    return {arm: found for arm, found in parts.items() if len(found)}


def parts_of(points: pd.DataFrame, arm: str, reference: str) -> pd.DataFrame:
    """Return the parts "accuracy" and "ranking" of the difference of AUGRC ×10³, a row a replicate.

    points: arm, replicate, accuracy and auroc in percent. An arm of one replicate alone stands against each of the
    other's.
    """
    one, other = paired(of_arm(points, arm), of_arm(points, reference))
    errors = [1 - side["accuracy"] / 100 for side in (one, other)]
    augrc = [e**2 / 2 + e * (1 - e) * (1 - side["auroc"] / 100) for e, side in zip(errors, (one, other), strict=True)]
    weight = sum(e * (1 - e) for e in errors) / 2
    ranking = -weight * (one["auroc"] - other["auroc"]) / 100
    return 1000 * pd.DataFrame({"accuracy": augrc[0] - augrc[1] - ranking, "ranking": ranking})


def caption(settings, label: Callable[[str], str], extent: Extent) -> str:
    """Return what the figure shows. extent: data set, split, images and replicates."""
    return (
        f"Differences of AUGRC from {label(settings.reference)} on {extent}, split exactly into what fewer errors and "
        "what a better ranking of errors contribute. "
        f"{extent.of_several('Bars are means over replicates, dots replicates. ')}Left is better."
    )
