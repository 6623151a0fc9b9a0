"""How models rank their errors over how far the labels of their mixed images are from what is visible."""

from collections.abc import Callable
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from selfdoubt.evaluation.fidelity import spearman
from selfdoubt.evaluation.undefined import Undefined, attempt
from selfdoubt.figures.context import Context
from selfdoubt.figures.points import aurc, read_metrics
from selfdoubt.figures.style import STYLE, header, laid_out, new_figure
from selfdoubt.figures.texts import Extent, NothingToShow, counted, listed
from selfdoubt.runtime import table_files
from selfdoubt.runtime.schemas.mixed_labels import MIXED_LABELS_SCHEMA

SHOWN_AS = "svg"


@dataclass(frozen=True)
class Measured:
    """The metrics of any arms, and of each model its label errors: a number a replicate, those that are known."""

    metrics: pd.DataFrame
    errors: dict[str, list[float]]


def read(inputs, settings, context: Context) -> Measured:
    """Read the metrics of every arm, and the tables of labels of the models, then replicates."""
    errors, n = {model: [] for model in settings.models}, len(inputs.mixed_labels) // len(settings.models)
    for i, path in enumerate(inputs.mixed_labels):
        rows = table_files.read_table(path, MIXED_LABELS_SCHEMA).to_pylist()
        known = [row["value"] for row in rows if row["statistic"] == "label-error" and row["value"] is not None]
        errors[settings.models[i // n]] += known
    return Measured(read_metrics(inputs.metrics), errors)


@mpl.rc_context(STYLE)
def draw(data: Measured, settings, context: Context) -> Figure:
    """Draw AURC over label error, a point a model, means over replicates, with Spearman's rho over models.

    Raises NothingToShow if no model has both numbers, as where true masks are not known.
    """
    points = _points(data, settings)
    figure = new_figure(settings)
    axes = figure.subplots()
    for model, row in points.iterrows():
        look = context.looks[model]
        style = {"color": look.colour, "marker": look.marker, "edgecolor": "white", "linewidth": 0.5, "zorder": 3}
        axes.scatter(row["label_error_points"], row["aurc_e3"], s=28, label=context.labels[model], **style)
    axes.set(xlabel="error of the weight against visible pixels (mean, points)", ylabel="AURC ×10³")
    axes.grid()
    figure.legend(loc="outside right upper")
    rho = _rho(points)
    if not isinstance(rho, Undefined):
        axes.set_title(f"ρ = {rho:.2f}".replace("-", "−"), loc="right", fontsize=7)
    n_replicates = aurc(data.metrics, settings)["replicate"].nunique()
    what = f"{settings.dataset}, {settings.split}; score {settings.score}; {counted(n_replicates, 'replicate')}"
    header(figure, f"{what}{', means' if n_replicates > 1 else ''}; ρ: Spearman's, over models")
    return laid_out(figure)


def table(data: Measured, settings, context: Context) -> pd.DataFrame:
    """Return model, label error (points) and AURC (×10³), means over replicates, and Spearman's rho over models."""
    points, rho = _points(data, settings), _rho(_points(data, settings))
    return points.reset_index().assign(spearman=np.nan if isinstance(rho, Undefined) else rho)


def caption(settings, label: Callable[[str], str], extent: Extent) -> str:
    """Return what the figure shows. extent: data set, split, images and replicates."""
    return (
        f"How {listed([*map(label, settings.models)])} rank their errors on {extent}, over the mean absolute "
        "difference of a label's weight from its fraction of the visible object pixels in training: a point a model"
        f"{extent.of_several(', its mean over replicates')}, with Spearman's correlation over models (three or more). "
        "Models differ in more than their labels, so that a correlation is no cause."
    )


def _points(data: Measured, settings) -> pd.DataFrame:
    """Return the label error and AURC of each model that has both, means over replicates, in the settings' order."""
    ranked = aurc(data.metrics, settings).groupby("arm")["value"].mean()
    errors = {model: 100 * np.mean(values) for model, values in data.errors.items() if values}
    shown = [model for model in settings.models if model in errors and model in ranked.index]
    if not shown:
        raise NothingToShow(f"no model has a label error on {settings.dataset}: the true masks are not known")
    rows = {"label_error_points": [errors[model] for model in shown], "aurc_e3": ranked[shown].to_numpy()}
    return pd.DataFrame(rows, index=pd.Index(shown, name="model"))


def _rho(points: pd.DataFrame) -> float | Undefined:
    if len(points) < 3:
        return Undefined("fewer than three models")
    return attempt(spearman, points["label_error_points"].to_numpy(), points["aurc_e3"].to_numpy())
