"""How much arms lower the AURC of a reference, against the passes that an image takes."""

from collections.abc import Callable
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from selfdoubt.figures.context import Context
from selfdoubt.figures.points import aurc, of_arm, paired, read_metrics, with_means
from selfdoubt.figures.style import GREY, STYLE, header, laid_out, new_figure
from selfdoubt.figures.texts import Extent, NothingToShow, counted
from selfdoubt.runtime import table_files
from selfdoubt.runtime.schemas.enhancements import ENHANCEMENTS_SCHEMA
from selfdoubt.runtime.schemas.groups import GROUPS_SCHEMA

SHOWN_AS = "svg"
POINTS = {"passes": "{:.4g} passes", "gain": "gain {:.2f} (AURC ×10³)"}  # axes, as the page shows them
METRIC = "aurc"  # to which a point leads
_BESIDE = {"loc": "upper left", "bbox_to_anchor": (1.01, 1), "borderaxespad": 0}


class Numbers(NamedTuple):
    """Of every arm and replicate."""

    metrics: pd.DataFrame  # rows of the metrics table
    passes: pd.DataFrame  # dataset, arm and passes, forwards + backwards an image of test; what has none takes one


def read(inputs, settings, context: Context) -> Numbers:
    """Read the metrics of every arm, and the passes of enhancers and of groups."""
    enhanced = table_files.read_table(inputs.enhancements[0], ENHANCEMENTS_SCHEMA).to_pandas()
    enhanced = enhanced.assign(arm=enhanced["name"] + "/" + enhanced["variant"])
    enhanced["passes"] = enhanced["forwards"] + enhanced["backwards"]
    groups = table_files.read_table(inputs.groups[0], GROUPS_SCHEMA).to_pandas()
    groups = groups[(groups["split"] == "test") & groups["quantity"].isin(["forwards", "backwards"])]
    groups = groups.assign(arm=groups["group"] + "/" + groups["protocol"])
    groups = groups.groupby(["dataset", "arm", "replicate"], as_index=False)["value"].sum()
    columns = ["dataset", "arm", "passes"]
    groups = groups.rename(columns={"value": "passes"})
    return Numbers(read_metrics(inputs.metrics), pd.concat([enhanced[columns], groups[columns]]))


@mpl.rc_context(STYLE)
def draw(data: Numbers, settings, context: Context) -> Figure:
    """Draw each arm's gain over its passes, replicates around their mean, and the strongest baseline at each cost.

    Raises NothingToShow if the reference or all others have no AURC.
    """
    points = aurc(data.metrics, settings)
    gains, passes = _gains(points, data, settings)
    figure = new_figure(settings)
    axes = figure.subplots()
    for arm in [arm for arm in context.looks if arm in gains]:
        _mark(axes, passes[arm], gains[arm], context.looks[arm], context.labels[arm], arm in settings.baselines)
    means = [(passes[arm], gains[arm].mean()) for arm in gains if arm in settings.baselines]
    if means:
        one = (passes_of(data.passes, settings.dataset, settings.reference), 0.0)
        line = strongest([one, *means], max(passes.values()))
        axes.step(*line, where="post", color=GREY, linewidth=1, zorder=1, label="strongest baseline")
    axes.axhline(0, color=GREY, linewidth=0.6, zorder=1)
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter(mpl.ticker.FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_xlabel("forward and backward passes per image")
    axes.set_ylabel(f"AURC ×10³ below that of {context.labels[settings.reference]}")
    axes.grid()
    axes.legend(handletextpad=0.4, **_BESIDE)
    n, n_replicates = int(points["n"].max()), points["replicate"].nunique()
    extent = f"{settings.dataset}, {settings.split}, n = {n:,}; score {settings.score}"
    header(figure, f"{extent}; {counted(n_replicates, 'replicate')}{', mean enlarged' if n_replicates > 1 else ''}")
    return laid_out(figure)


def table(data: Numbers, settings, context: Context) -> pd.DataFrame:
    """Return arm, replicate or "mean", passes an image, and the AURC ×10³ below the reference's: a row a point."""
    gains, passes = _gains(aurc(data.metrics, settings), data, settings)
    parts = [
        found.rename("gain").rename_axis("replicate").reset_index().assign(arm=arm, passes=passes[arm])
        for arm, found in gains.items()
    ]
    points = with_means(pd.concat(parts, ignore_index=True), ["passes", "gain"])
    return points[["arm", "replicate", "passes", "gain"]].reset_index(drop=True)


def _gains(points: pd.DataFrame, data: Numbers, settings) -> tuple[dict[str, pd.Series], dict[str, float]]:
    """Return gains and passes of each arm; raises NothingToShow if there is none."""
    gains = {arm: gain_of(points, arm, settings.reference) for arm in _once(settings)}
    gains = {arm: found for arm, found in gains.items() if len(found)}
    if not gains:
        raise NothingToShow(f"no arm has an AURC beside that of {settings.reference} on {settings.dataset}")
    return gains, {arm: passes_of(data.passes, settings.dataset, arm) for arm in gains}


def gain_of(points: pd.DataFrame, arm: str, reference: str) -> pd.Series:
    """Return how much lower an arm's AURC x10^3 is than the reference's, by replicate, of those that both have."""
    one, other = paired(of_arm(points, arm), of_arm(points, reference))
    return other["value"] - one["value"]


def passes_of(passes: pd.DataFrame, dataset: str, arm: str) -> float:
    """Return the forwards + backwards of an image, mean over replicates; 1 of a clean model."""
    own = passes[(passes["dataset"] == dataset) & (passes["arm"] == arm)]["passes"]
    return float(own.mean()) if len(own) else 1.0


def strongest(means: list[tuple[float, float]], most: float) -> tuple[list[float], list[float]]:
    """Return the costs from the least to `most` where the largest gain at no higher cost rises, and that gain."""
    ordered = sorted(means)
    costs, gains = [ordered[0][0]], [ordered[0][1]]
    for cost, gain in ordered[1:]:
        if gain > gains[-1]:
            costs, gains = [*costs, cost], [*gains, gain]
    return [*costs, max(most, costs[-1])], [*gains, gains[-1]]


def _once(settings) -> list[str]:
    """Return the arms and baselines but the reference, each once."""
    return [arm for arm in dict.fromkeys([*settings.arms, *settings.baselines]) if arm != settings.reference]


def _mark(axes: Axes, cost: float, gains: pd.Series, look, label: str, is_baseline: bool) -> None:
    """Draw an arm's replicates as dots and their mean enlarged, hollow of a baseline."""
    axes.plot([cost, cost], [gains.min(), gains.max()], color=look.colour, linewidth=0.5, alpha=0.35, zorder=2)
    axes.scatter(np.full(len(gains), cost), gains, s=7, color=look.colour, alpha=0.5, linewidth=0, zorder=3)
    filled = {"facecolor": "white", "edgecolor": look.colour, "linewidth": 1}
    filled = filled if is_baseline else {"color": look.colour, "edgecolor": "white", "linewidth": 0.7}
    axes.scatter(cost, gains.mean(), s=30, marker=look.marker, label=label, zorder=4, **filled)


def caption(settings, label: Callable[[str], str], extent: Extent) -> str:
    """Return what the figure shows. extent: data set, split, images and replicates."""
    baselines = "Hollow marks are baselines; the line is the largest mean gain of them and of no change by that cost. "
    return (
        f"How much each arm lowers the AURC of {label(settings.reference)} by the score {settings.score} on {extent}, "
        "against the forward and backward passes through models that an image takes, the clean prediction included; "
        "small networks of enhancers are not counted. "
        f"{extent.of_several('Small dots are replicates, large marks their mean. ')}"
        f"{baselines if settings.baselines else ''}Up and left is better."
    )
