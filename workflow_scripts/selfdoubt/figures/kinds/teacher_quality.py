"""Students' metrics over those of their teachers, a point a student."""

from collections.abc import Callable
from itertools import product

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from selfdoubt.evaluation.fidelity import spearman
from selfdoubt.evaluation.undefined import Undefined, attempt
from selfdoubt.figures.context import Context
from selfdoubt.figures.formats import axis_of
from selfdoubt.figures.style import STYLE, header, laid_out, new_figure
from selfdoubt.figures.texts import Extent, NothingToShow, counted, listed
from selfdoubt.runtime import table_files
from selfdoubt.runtime.schemas.fidelity import FIDELITY_SCHEMA

SHOWN_AS = "svg"
_ROLES = ("student-", "teacher-", "target-")


def _axis(quantity: str) -> tuple[str, float]:
    return ("entropy (nats)", 1) if quantity == "entropy" else axis_of(quantity)


def read(inputs, settings, context: Context) -> pd.DataFrame:
    """Read the rows of the table of fidelity."""
    return table_files.read_table(inputs.fidelity[0], FIDELITY_SCHEMA).to_pandas()


@mpl.rc_context(STYLE)
def draw(data: pd.DataFrame, settings, context: Context) -> Figure:
    """Draw a panel for each pair of metrics: students as means over replicates and, small, each replicate.

    Spearman's rho is over the means of students.

    data: rows of the table of fidelity, any students. Raises NothingToShow if none has a number.
    """
    each = values_of(data, settings)
    means, n_replicates = means_of(data, settings)
    shown = [arm for arm in settings.arms if arm in means.index]
    if not shown:
        raise NothingToShow(f"no student has numbers on {settings.dataset}, split {settings.split}")
    rows, columns = settings.student_metrics, settings.teacher_metrics
    figure = new_figure(settings)
    panels = figure.subplots(len(rows), len(columns), sharex="col", sharey="row", squeeze=False)
    for (i, of_student), (j, of_teacher) in product(enumerate(rows), enumerate(columns)):
        axes = panels[i, j]
        names = [quantity_of(of_teacher), f"student-{of_student}"]
        _panel(axes, means.reindex(columns=names), each.reindex(columns=names), shown, context)
        if j == 0:
            axes.set_ylabel(f"student's {_axis(of_student)[0]}")
        if i == len(rows) - 1:
            role, _, metric = quantity_of(of_teacher).partition("-")
            axes.set_xlabel(f"{role}'s {_axis(metric)[0]}")
    marks = [_mark(context.looks[arm]) for arm in shown]
    figure.legend(marks, [context.labels[arm] for arm in shown], loc="outside right upper")
    what = f"{settings.dataset}, {settings.split}; {counted(n_replicates, 'replicate')}"
    header(figure, f"{what}{', means' if n_replicates > 1 else ''}; ρ: Spearman's, over students")
    return laid_out(figure)


def table(data: pd.DataFrame, settings, context: Context) -> pd.DataFrame:
    """Return the student, and its metrics and its teachers', means over replicates in the units of the axes."""
    means, _ = means_of(data, settings)
    names = [*map(quantity_of, settings.teacher_metrics), *(f"student-{name}" for name in settings.student_metrics)]
    return means.reindex(columns=names).loc[[arm for arm in settings.arms if arm in means.index]].reset_index()


def quantity_of(of_teacher: str) -> str:
    """Return the quantity of the table of fidelity that one of the settings' `teacher_metrics` means."""
    return of_teacher if of_teacher.startswith("target-") else f"teacher-{of_teacher}"


def means_of(data: pd.DataFrame, settings) -> tuple[pd.DataFrame, int]:
    """Return the mean of each quantity over replicates, a row a student, in the figure's units; and the replicates."""
    each = values_of(data, settings)
    return each.groupby("student").mean(), each.index.get_level_values("replicate").nunique()


def values_of(data: pd.DataFrame, settings) -> pd.DataFrame:
    """Return each quantity of the students in the figure's units, a row for each student and replicate."""
    rows = data[(data["dataset"] == settings.dataset) & (data["split"] == settings.split) & data["decile"].isna()]
    rows = rows[rows["student"].isin(settings.arms)].dropna(subset="value")
    values = rows.set_index(["student", "replicate", "quantity"])["value"].unstack()
    scales = {name: _axis(name.split("-", 1)[1])[1] for name in values if name.startswith(_ROLES)}
    return values[[*scales]] * pd.Series(scales, dtype=float)


def _panel(axes: Axes, means: pd.DataFrame, each: pd.DataFrame, shown: list[str], context: Context) -> None:
    points = means.loc[shown].dropna()
    for arm, (x, y) in zip(points.index, points.to_numpy(), strict=True):
        look = context.looks[arm]
        if len(own := each.loc[arm].dropna()) > 1:
            axes.scatter(*own.to_numpy().T, s=5, color=look.colour, alpha=0.45, linewidth=0, zorder=2)
        axes.scatter(x, y, s=22, color=look.colour, marker=look.marker, edgecolor="white", linewidth=0.5, zorder=3)
    rho = attempt(spearman, *np.array(points).T) if len(points) > 2 else Undefined("fewer than three students")
    if not isinstance(rho, Undefined):
        axes.set_title(f"ρ = {rho:.2f}".replace("-", "−"), loc="right", fontsize=7)
    axes.grid()


def _mark(look) -> Line2D:
    style = {"color": look.colour, "marker": look.marker, "markersize": 5, "markeredgecolor": "white"}
    return Line2D([], [], linestyle="none", **style)


def caption(settings, label: Callable[[str], str], extent: Extent) -> str:
    """Return what the figure shows. extent: data set, split, images and replicates."""
    several = extent.of_several(", its mean over replicates, which are small")
    return (
        f"Metrics of {listed([*map(label, settings.arms)])} over those of their teachers, of several of their mean "
        f"probability, on {extent}: a point a student{several}, with Spearman's correlation over students (three or "
        "more). Targets: the teacher's logits times the factor of the student's target transform."
    )
