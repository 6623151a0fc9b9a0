"""Labels under mixing: how much of the label moves, and how far labels are from what is visible."""

from collections.abc import Callable

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from selfdoubt.figures.context import Context
from selfdoubt.figures.style import STYLE, header, laid_out, new_figure
from selfdoubt.figures.texts import Extent, counted, listed
from selfdoubt.runtime import table_files
from selfdoubt.runtime.schemas.mixed_labels import MIXED_LABELS_SCHEMA

SHOWN_AS = "svg"


def read(inputs, settings, context: Context) -> dict[str, list[dict]]:
    """Read the tables of models, then replicates."""
    tables = [table_files.read_table(path, MIXED_LABELS_SCHEMA).to_pylist() for path in inputs.mixed_labels]
    measured = [{row["statistic"]: row["value"] for row in rows} for rows in tables]
    n_replicates = len(measured) // len(settings.models)
    return {model: measured[i * n_replicates : (i + 1) * n_replicates] for i, model in enumerate(settings.models)}


@mpl.rc_context(STYLE)
def draw(data: dict[str, list[dict]], settings, context: Context) -> Figure:
    """Draw the weight of the target's label (mean and deviation), its error, and weight without object: a row a model.

    data: model -> per replicate, statistic of MIXED_LABELS_SCHEMA -> value, or None where it is not known.
    """
    figure = new_figure(settings)
    panels = figure.subplots(1, 3, sharey=True)
    for row, (model, replicates) in enumerate(data.items()):
        colour = context.looks[model].colour
        means = {name: _mean([replicate[name] for replicate in replicates]) for name in replicates[0]}
        spread = means["weight-sd"]
        panels[0].errorbar(means["weight-mean"], row, xerr=spread, fmt="o", color=colour, markersize=4, linewidth=1)
        for axes, name in zip(panels[1:], ("label-error", "ghost-labels"), strict=True):
            axes.barh(row, 100 * means[name], 0.6, color=colour)
            known = not np.isnan(means[name])
            end, text = (100 * means[name], f"{100 * means[name]:.1f}") if known else (0, "not known")
            axes.annotate(text, (end, row), (3, 0), textcoords="offset points", va="center")
    panels[0].set_yticks(range(len(data)), [context.labels[model] for model in data])
    panels[0].set(xlim=(0, 1), xlabel="weight of the\ntarget's label\n(mean ± sd over images)")
    panels[0].invert_yaxis()
    panels[1].set_xlabel("error of the weight\nagainst visible pixels\n(mean, points)")
    panels[2].set_xlabel("label without a\nvisible object\n(% of images)")
    for axes in panels:
        axes.grid(axis="x")
    for axes in panels[1:]:
        axes.margins(x=0.25)
        axes.set_xlim(left=0)
    n_replicates = max(len(replicates) for replicates in data.values())
    means = f"{'mean over ' if n_replicates > 1 else ''}{counted(n_replicates, 'replicate')}"
    header(figure, f"{settings.dataset}, mixed images of the first epoch; {means}")
    return laid_out(figure)


def table(data: dict[str, list[dict]], settings, context: Context) -> pd.DataFrame:
    """Return model, replicate (from 1, in the study's order), statistic and value."""
    rows = [
        {"model": model, "replicate": i, "statistic": name, "value": value}
        for model, replicates in data.items()
        for i, statistics in enumerate(replicates, start=1)
        for name, value in statistics.items()
    ]
    return pd.DataFrame(rows)


def caption(settings, label: Callable[[str], str], extent: Extent) -> str:
    """Return what the figure shows."""
    return (
        f"Labels of mixed images of {settings.dataset} under {listed([label(model) for model in settings.models])}: "
        "the weight of the target's label; its mean absolute difference from the target's fraction of the visible "
        "object pixels; and label weight when no object is visible: the fraction of images in which a label has weight "
        "though none of its object's pixels remain. Pixels of blended images count by their weight."
    )


def _mean(values: list[float | None]) -> float:
    """Return the mean of what is known, nan where nothing is."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else np.nan
