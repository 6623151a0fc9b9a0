"""How much of the AURC that an attack costs each enhancer brings back."""

from collections.abc import Callable

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from selfdoubt.figures.context import Context
from selfdoubt.figures.points import aurc, of_arm, paired, read_metrics
from selfdoubt.figures.style import ABOVE, GREY, STYLE, header, laid_out, new_figure
from selfdoubt.figures.texts import Extent, NothingToShow, counted, listed

SHOWN_AS = "svg"


def read(inputs, settings, context: Context) -> pd.DataFrame:
    """Read the metrics of every arm and replicate."""
    return read_metrics(inputs.metrics)


@mpl.rc_context(STYLE)
def draw(data: pd.DataFrame, settings, context: Context) -> Figure:
    """Draw for each arm the percentage of the lost AURC that it brings back.

    data: rows of the metrics table, any splits and scores. Raises NothingToShow if the attack costs nothing, or no arm
    has an AURC.
    """
    points = aurc(data, settings)
    found = _found(points, settings)
    figure = new_figure(settings)
    axes = figure.subplots()
    for row, (whole, of_replicates) in enumerate(found.values()):
        axes.barh(row, whole, height=0.55, color=ABOVE, alpha=0.75, linewidth=0)
        axes.scatter(of_replicates, np.full(len(of_replicates), row), s=7, color=ABOVE, linewidth=0, zorder=3)
    for place, dashes in ((0, "solid"), (50, (0, (3, 2))), (100, "solid")):
        axes.axvline(place, color=GREY, linewidth=0.6, linestyle=dashes)
    axes.set_yticks(range(len(found)), [context.labels[arm] for arm in found])
    axes.set_ylim(len(found) - 0.5, -0.5)
    axes.set_xlabel("rise in AURC under attack that is undone (%)")
    axes.grid(axis="x")
    clean, attacked = paired(*(of_arm(points, arm) for arm in (settings.clean, settings.attacked)))
    cost = f"AURC ×10³ {clean['value'].mean():.1f} clean, {attacked['value'].mean():.1f} attacked"
    extent = f"{settings.dataset}, {settings.split}, n = {int(points['n'].max()):,}; score {settings.score}"
    header(figure, f"{extent}; {cost}; {counted(len(clean), 'replicate')}")
    return laid_out(figure)


def table(data: pd.DataFrame, settings, context: Context) -> pd.DataFrame:
    """Return arm and the percentage brought back: of the mean AURC, and of each replicate where something is lost."""
    parts = [
        pd.DataFrame({"arm": arm, "of": ["mean", *["replicate"] * len(each)], "percent": [whole, *each]})
        for arm, (whole, each) in _found(aurc(data, settings), settings).items()
    ]
    return pd.concat(parts, ignore_index=True)


def _found(points: pd.DataFrame, settings) -> dict[str, tuple[float, np.ndarray]]:
    """Return what each arm brings back; raises NothingToShow if there is nothing to bring back, or no arm."""
    found = {arm: recovered(points, arm, settings.clean, settings.attacked) for arm in settings.arms}
    found = {arm: shares for arm, shares in found.items() if shares is not None}
    if not found:
        what = f"{settings.attacked} costs {settings.clean} no AURC, or"
        raise NothingToShow(f"{what} no arm has one, on {settings.dataset}, split {settings.split}")
    return found


def recovered(points: pd.DataFrame, arm: str, clean: str, attacked: str) -> tuple[float, np.ndarray] | None:
    """Return the percentage of the mean loss that an arm brings back, and those of the replicates where it is above 0.

    points: arm, replicate and value, the AURC. None where there is no mean loss above 0.
    """
    sides = paired(*(of_arm(points, each) for each in (arm, clean, attacked)))
    own, before, after = (side["value"].to_numpy() for side in sides)
    loss, back = after - before, after - own
    if not len(loss) or loss.mean() <= 0:
        return None
    return 100 * back.mean() / loss.mean(), 100 * back[loss > 0] / loss[loss > 0]


def caption(settings, label: Callable[[str], str], extent: Extent) -> str:
    """Return what the figure shows. extent: data set, split, images and replicates."""
    attack, model = label(settings.attacked), label(settings.clean)
    return (
        f"How much of the rise in AURC of {model} under {attack} is undone by {listed([*map(label, settings.arms)])}, "
        f"for the score {settings.score} on {extent}: 0 is no better than the attacked model, 100 % the model on clean "
        "images, left of 0 is harm. "
        f"{extent.of_several('Bars are of mean AURCs, dots replicates. ')}Right is better."
    )
